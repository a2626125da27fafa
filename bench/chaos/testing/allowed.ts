import type { JournalEntry } from '@baton/github-sim';
import { pollGaps } from '../../polls.ts';
import { brokenGaps } from '../allowed-gaps.ts';
import type { Disturbance, Drain } from '../driver.ts';
import { evidence, gap, timing } from './evidence.ts';

/** When the gap begins. */
export const begin = 50_000;

/** Until when a gap of `web` that began at `begin` is allowed, counted from there. */
export function allowedMs(
  disturbances: Disturbance[],
  more: JournalEntry[] = [],
  [before, after]: [string, string] = ['listener-0', 'listener-0'],
  drains: Drain[] = [],
): number {
  const polls = gap(begin, begin + 500_000, before, after);
  const journal = [...polls, ...more].toSorted((a, b) => a.at - b.at);
  const given = evidence({ journal, disturbances, drains, endMs: begin + 600_000 });
  const [broken] = brokenGaps(pollGaps(polls), given, timing);
  return (broken?.allowedUntilMs ?? Number.NaN) - begin;
}
