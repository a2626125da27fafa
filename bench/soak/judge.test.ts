import { expect, test } from 'vitest';
import { judge } from './judge.ts';
import type { Sample } from './watch.ts';

const steady = { rssMb: 150, handles: 30, threads: 11 };

/** Forty minutes, one look each; `at` goes from 0 to 1. */
function samplesOf(change: (at: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: 41 }, (_, minute) => ({
    atMs: minute * 60_000,
    processes: { 'listener-0': steady, nats: steady },
    series: { 'listener-0': 200 },
    streams: { BATON_EVENTS: { messages: 10, mb: 1 }, BATON_COMMANDS: { messages: 0, mb: 0 } },
    buckets: { 'baton-runners': { messages: 400, mb: 0.2 } },
    lag: { 'create-commands': minute % 3 },
    storeMb: 40,
    ...change(minute / 40),
  }));
}

test('what is steady did not grow', () => {
  const report = judge(samplesOf(() => ({})));

  expect(report.grew).toEqual([]);
  expect(report.processes['listener-0']).toMatchObject({
    rssMb: { first: 150, last: 150, slopePerHour: 0 },
    series: { last: 200 },
  });
  expect(report.processes.nats).not.toHaveProperty('series');
  expect(report.lag).toEqual({ 'create-commands': { p99: 2, most: 2 } });
});

test.each<[string, (at: number) => Partial<Sample>]>([
  [
    'rssMb of listener-0: from 151.5 to 178.5, 45 an hour',
    (at) => ({ processes: { 'listener-0': { ...steady, rssMb: 150 + 30 * at } } }),
  ],
  [
    'handles of listener-0: from 31 to 49, 30 an hour',
    (at) => ({ processes: { 'listener-0': { ...steady, handles: Math.round(30 + 20 * at) } } }),
  ],
  [
    'series of listener-0: from 205 to 295, 150 an hour',
    (at) => ({ series: { 'listener-0': Math.round(200 + 100 * at) } }),
  ],
  [
    'messages in baton-runners: from 405 to 495, 150 an hour',
    (at) => ({ buckets: { 'baton-runners': { messages: 400 + 100 * at, mb: 0.2 } } }),
  ],
  [
    'lag of create-commands: from 2 to 38, 60 an hour',
    (at) => ({ lag: { 'create-commands': 40 * at } }),
  ],
])('%s', (text, change) => {
  expect(judge(samplesOf(change)).grew).toEqual([text]);
});

test('the files of deleted keys must not become more; some blocks that fill are nothing', () => {
  const filling = (mb: number) =>
    samplesOf((at) => ({
      processes: { nats: { ...steady, rssMb: 60 + mb * at } },
      storeMb: 40 + mb * at,
    }));

  expect(judge(filling(15)).grew).toEqual([]);
  expect(judge(filling(40)).grew).toEqual([
    'rssMb of nats: from 62 to 98, 60 an hour',
    'MB of files besides those of BATON_EVENTS: from 41 to 77, 60 an hour',
  ]);
});

test('those who keep books, and the log of facts, may grow; the log up to its limit', () => {
  const facts = (mb: number) =>
    samplesOf((at) => ({
      processes: { simulator: { ...steady, rssMb: 100 + 300 * at } },
      streams: { BATON_EVENTS: { messages: 1_000_000 * at, mb: mb * at } },
      storeMb: mb * at,
    }));

  expect(judge(facts(2_000)).grew).toEqual([]);
  expect(judge(facts(2_200)).grew).toEqual(['BATON_EVENTS holds 2200 MB, its limit is 2147.5']);
});
