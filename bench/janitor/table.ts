import { figureTable, floorLine } from '../table.ts';
import type { JanitorReport } from './report.ts';

/** The figures with the floor and what they are meant to be. */
export function janitorTable(report: JanitorReport): string {
  const { deletions = [], sweeps, costRatio, floor, ranges, ratios } = report;
  const one = (name: string, value: number | undefined, about: About) =>
    value === undefined ? [] : [{ ...about, value, range: ranges[name], ratio: ratios[name] }];
  const ofDeletions = deletions.flatMap(({ marked, perS, cpuMs }) => [
    ...one(`deletionsPerS ${marked}`, perS, {
      what: `${marked} marked, deletions/s`,
      floor: floor.deletionsPerS,
      goal: '500',
    }),
    ...one(`cpuMsPerDeletion ${marked}`, cpuMs.janitor, {
      what: `${marked} marked, CPU of the janitor, ms/deletion`,
      floor: floor.cpuMsPerDeletion,
    }),
  ]);
  const lines = [
    figureTable([
      ...one('marked200Ms', report.marked200Ms, {
        what: '200 marked, a delete takes 200 ms: all gone, ms',
        floor: floor.marked200Ms,
        goal: '2000',
      }),
      ...one('outage100Ms', report.outage100Ms, {
        what: '100 marked while GitHub is down: no instance, ms',
        floor: floor.outage100Ms,
        goal: '5000',
      }),
      ...ofDeletions,
      ...one('sweep10kMs', report.sweep10kMs, {
        what: 'a look of all sweeps at 10000 of everything, ms',
        floor: floor.list10kMs,
        goal: '5000',
      }),
      ...one('rssMb', report.rssMb, {
        what: "the janitor's memory meanwhile, at most, MB",
        floor: floor.rssMb,
        goal: '200',
      }),
    ]),
    costRatio !== undefined && `cost ratio, most to fewest: ${costRatio} (goal: at most 1.3)`,
    sweeps !== undefined &&
      `a deletion takes ${sweeps.sweepDelayMs} ms longer besides such a look, at most (goal: 100)`,
    floorLine(floor),
  ];
  return lines.filter((line) => line !== false).join('\n');
}

interface About {
  what: string;
  floor: number;
  goal?: string;
}
