import { leaseTtlMs } from '../stack.ts';
import { renderTable } from '../table.ts';
import type { TakeoverReport } from './takeover.ts';

/** The figures with what they are meant to be. */
export function takeoverTable(report: TakeoverReport): string {
  const { floorMs } = report;
  const measured = [
    ['same identity, from process start', report.sameIdentityMs, 'p95 2500'],
    ['same identity, from its configuration', report.sameIdentityFromConfigMs, 'p95 1000'],
    ['other listener, holder killed', report.otherPodFastMs, '3000'],
    ['other listener, by TTL', report.otherPodTtlMs, String(leaseTtlMs + 1_000)],
    ['record lost, from GitHub freeing it', report.waitOutAfterReleaseMs, '10000'],
    ['hand-over, gap', report.handOverGapMs, '1000'],
    ['floor: start of a bare process', floorMs.processStart, ''],
    ['floor: NATS round trip', floorMs.natsRoundTrip, ''],
  ] as const;
  const rows = measured.map(([what, values, goal]) => [
    what,
    ...[values?.count, values?.p50, values?.p95, values?.max].map((value) => String(value ?? '-')),
    goal,
  ]);
  return renderTable([['ms', 'samples', 'p50', 'p95', 'max', 'goal'], ...rows]);
}
