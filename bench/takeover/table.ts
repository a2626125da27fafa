import { leaseTtlMs } from '../stack.ts';
import { floorLine, renderTable } from '../table.ts';
import { takeoverFloors } from './ratios.ts';
import type { TakeoverReport } from './takeover.ts';

const measured = [
  ['same identity, from process start', 'sameIdentityMs', 'p95 2500'],
  ['same identity, from its configuration', 'sameIdentityFromConfigMs', 'p95 1000'],
  ['other listener, holder killed', 'otherPodFastMs', '3000'],
  ['other listener, by TTL', 'otherPodTtlMs', String(leaseTtlMs + 1_000)],
  ['record lost, from GitHub freeing it', 'waitOutAfterReleaseMs', '10000'],
  ['hand-over, gap', 'handOverGapMs', '1000'],
] as const;

/** The figures with the floor and what they are meant to be. */
export function takeoverTable(report: TakeoverReport): string {
  const { floor, ratios } = report;
  const floors = takeoverFloors(floor);
  const rows = measured.map(([what, name, goal]) => {
    const { count, p50, p95, max } = report[name] ?? {};
    const cells = [count, p50, p95, max, floors[name], ratios[name]];
    return [what, ...cells.map((value) => String(value ?? '-')), goal];
  });
  const heading = ['ms', 'samples', 'p50', 'p95', 'max', 'floor', 'ratio', 'goal'];
  return [renderTable([heading, ...rows]), floorLine(floor)].join('\n');
}
