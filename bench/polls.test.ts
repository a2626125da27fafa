import type { JournalEntry } from '@baton/github-sim';
import { expect, test } from 'vitest';
import { firstPolls, messageTimes, pollGaps } from './polls.ts';

let number = 0;

function entry(
  at: number,
  scaleSet: string,
  event: JournalEntry['event'],
  messageId?: number,
): JournalEntry {
  number += 1;
  return { number, at, scaleSet, event, ...(messageId === undefined ? {} : { messageId }) };
}

test('the first poll of a scale set is the first one that began after the given time', () => {
  const entries = [entry(5, 'a', 'held'), entry(12, 'a', 'held'), entry(14, 'a', 'held')];
  expect(firstPolls(entries, 10)).toEqual(new Map([['a', 12]]));
});

test('a gap lasts from the end of the last held poll to the next one', () => {
  const entries = [
    entry(0, 'a', 'held'),
    entry(10, 'a', 'ended'),
    entry(25, 'a', 'held'),
    entry(30, 'a', 'ended'),
  ];
  expect(pollGaps(entries)).toEqual([
    { scaleSet: 'a', fromMs: 10, toMs: 25 },
    { scaleSet: 'a', fromMs: 30, toMs: undefined },
  ]);
});

test('a poll that begins before the older one ends leaves no gap, and sets are kept apart', () => {
  const entries = [
    entry(0, 'a', 'held'),
    entry(1, 'b', 'held'),
    entry(5, 'a', 'held'),
    entry(6, 'a', 'ended'),
  ];
  expect(pollGaps(entries)).toEqual([]);
});

test('a message takes from its first delivery to its deletion', () => {
  const entries = [
    entry(0, 'a', 'delivered', 1),
    entry(3, 'b', 'delivered', 1),
    entry(5, 'a', 'delivered', 1),
    entry(9, 'a', 'deleted', 1),
    entry(10, 'b', 'deleted', 1),
    entry(11, 'a', 'delivered', 2),
  ];
  expect(messageTimes(entries)).toEqual([9, 7]);
});
