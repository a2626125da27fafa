import { type Range, ratio } from '../measure/percentiles.ts';
import type { Deletions } from './deletions.ts';
import type { JanitorFigures } from './janitor.ts';

/** Medians; those of a part that was not asked for are not there. */
export interface JanitorReport extends Omit<JanitorFigures, 'marked200Ms' | 'outage100Ms'> {
  marked200Ms?: number;
  outage100Ms?: number;
  /** By how many were marked at once. */
  deletionsPerS?: Record<string, number>;
  /** Of the janitor, by how many were marked at once. */
  cpuMsPerDeletion?: Record<string, number>;
  /** CPU of a deletion with the most, divided by that with the fewest. */
  costRatio?: number;
  /** All sweeps at once. */
  sweep10kMs?: number;
  /** The most that the janitor had meanwhile. */
  rssMb?: number;
  ranges: Record<string, Range>;
  /** To what the same costs a bare program. */
  ratios: Record<string, number>;
  books: readonly string[];
}

const books = [
  "the provider's book: deletions",
  "the simulator's books: registrations",
  "the NATS server's clock: when a record went, and when a sweep was written down",
  '/proc: CPU and memory',
];

/** What was measured, with its ratios to the floor. */
export function janitorReport({ floor, ...figures }: JanitorFigures): JanitorReport {
  const { marked200Ms, outage100Ms, deletions, sweeps } = figures;
  const report: JanitorReport = { ranges: {}, ratios: {}, floor, books };
  const { ranges, ratios } = report;
  if (marked200Ms) {
    report.marked200Ms = marked200Ms.median;
    ranges.marked200Ms = marked200Ms;
    ratios.marked200Ms = ratio(marked200Ms.median, floor.marked200Ms);
  }
  if (outage100Ms) {
    report.outage100Ms = outage100Ms.median;
    ranges.outage100Ms = outage100Ms;
    ratios.outage100Ms = ratio(outage100Ms.median, floor.outage100Ms);
  }
  if (deletions) addDeletions(report, deletions);
  if (sweeps) {
    report.sweeps = sweeps;
    report.sweep10kMs = sweeps.sweep10kMs.median;
    report.rssMb = sweeps.rssMb;
    ranges.sweep10kMs = sweeps.sweep10kMs;
    ratios.sweep10kMs = ratio(sweeps.sweep10kMs.median, floor.list10kMs);
    ratios.rssMb = ratio(sweeps.rssMb, floor.rssMb);
  }
  return report;
}

function addDeletions(report: JanitorReport, deletions: Deletions[]): void {
  const { ranges, ratios, floor } = report;
  report.deletions = deletions;
  report.deletionsPerS = {};
  report.cpuMsPerDeletion = {};
  for (const { marked, perS, cpuMs, ranges: of } of deletions) {
    report.deletionsPerS[marked] = perS;
    report.cpuMsPerDeletion[marked] = cpuMs.janitor;
    ranges[`deletionsPerS ${marked}`] = of.perS;
    ranges[`cpuMsPerDeletion ${marked}`] = of.janitorCpuMs;
    ratios[`deletionsPerS ${marked}`] = ratio(floor.deletionsPerS, perS);
    ratios[`cpuMsPerDeletion ${marked}`] = ratio(cpuMs.janitor, floor.cpuMsPerDeletion);
  }
  const costs = deletions.map(({ cpuMs }) => cpuMs.janitor + cpuMs.nats);
  report.costRatio = ratio(costs.at(-1) ?? Number.NaN, costs[0] ?? Number.NaN);
}
