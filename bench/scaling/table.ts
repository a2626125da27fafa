import { figureTable, floorLine } from '../table.ts';
import type { ScalingReport } from './scaling.ts';

/** The figures with the floor and what they are meant to be. */
export function scalingTable({ points, costRatio, provisioners, floor }: ScalingReport): string {
  const costs = points.map(({ live, cpuMsPerRunner, ranges, ratios }) => ({
    what: `${live} live: CPU of provisioners and NATS, ms/runner`,
    value: cpuMsPerRunner,
    range: ranges.cpuMsPerRunner,
    floor: floor.cpuMsPerPacedMessage,
    ratio: ratios.cpuMsPerRunner,
  }));
  const rate = ({ runnersPerS, ranges, ratios }: ScalingReport['provisioners'][number]) => ({
    value: runnersPerS,
    range: ranges.runnersPerS,
    floor: floor.messagesPerS,
    ratio: ratios.runnersPerS,
  });
  const bursts = points.map((point) => ({
    what: `${point.live} live: burst, runners/s`,
    ...rate({ ...point, n: 2 }),
  }));
  const more = provisioners.map((point) => ({
    what: `provisioners: ${point.n}, burst, runners/s`,
    ...rate(point),
  }));
  const parts = points.map(
    ({ live, provisionerCpuMs, natsCpuMs }) =>
      `${live} live: provisioners ${provisionerCpuMs}, NATS ${natsCpuMs}`,
  );
  return [
    figureTable([...costs, ...bursts, ...more]),
    `CPU ms per runner, ${parts.join('; ')}`,
    `cost ratio, most to fewest: ${costRatio} (goal: at most 1.3)`,
    floorLine(floor),
  ].join('\n');
}
