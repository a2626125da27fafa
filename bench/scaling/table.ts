import { renderTable } from '../table.ts';
import type { ScalingReport } from './scaling.ts';

/** The figures with what they are meant to be. */
export function scalingTable({ points, costRatio, provisioners, floor }: ScalingReport): string {
  const rows = points.map((point) => [
    String(point.live),
    String(point.cpuMsPerRunner),
    String(point.provisionerCpuMs),
    String(point.natsCpuMs),
    String(point.runnersPerS),
  ]);
  const heading = ['live', 'CPU ms/runner', 'provisioners', 'NATS', 'burst runners/s'];
  const more = provisioners.map(({ n, each }) => [String(n), ...each.map(String)]);
  return [
    renderTable([heading, ...rows]),
    `cost ratio, most to fewest: ${costRatio} (goal: at most 1.3)`,
    renderTable([['provisioners', 'runners/s', 'again'], ...more]),
    `floor: NATS round trip ${floor.natsP50Ms} ms (p50)`,
  ].join('\n');
}
