import type { JournalEntry } from '@baton/github-sim';
import { scaleSetIdOf } from '@baton/shared/contracts';
import { expect, test } from 'vitest';
import type { Disturbance } from './driver.ts';
import { brokenFacts, type StoredFact } from './facts.ts';
import { entry, fault, job, strike } from './testing/evidence.ts';

const done = { ...job('a', 'completed'), assignments: 1, startedAt: 10, completedAt: 20 };
const scaleSetId = scaleSetIdOf('web');

function fact(kind: string, storedMs = 0, messageId = kind): StoredFact {
  return { scaleSetId, jobId: 'a', type: `job.${kind}`, messageId, storedMs };
}

const all = [fact('assigned'), fact('started'), fact('completed')];

function broken(
  facts: StoredFact[],
  disturbances: Disturbance[] = [],
  journal: JournalEntry[] = [],
): string[] {
  return brokenFacts({ jobs: [done], facts, disturbances, journal });
}

test('each fact once is as it should be', () => {
  expect(broken(all)).toEqual([]);
  expect(
    brokenFacts({ jobs: [job('b', 'queued')], facts: [], disturbances: [], journal: [] }),
  ).toEqual([]);
});

test('a fact that is missing is lost', () => {
  expect(broken(all.slice(0, 2))).toEqual([`1 facts lost: job.completed of a in ${scaleSetId}`]);
});

test('a fact that is there twice, or of no job, is told', () => {
  expect(broken([...all, fact('started', 5, 'other')])).toEqual([
    `1 facts stored twice: job.started of a in ${scaleSetId}`,
  ]);
  expect(broken([...all, { ...fact('started'), jobId: 'x' }])).toHaveLength(1);
  expect(broken([...all, { ...fact('started'), scaleSetId: 'x' }])).toHaveLength(1);
});

test('the same message may be stored again when NATS has forgotten it, and it may be unrecorded', () => {
  const polled = [entry(-5_000, 'held', { by: 'listener-1' })];
  const later = (storedMs: number, disturbance: Disturbance) =>
    broken([...all, fact('started', storedMs)], [disturbance], polled);

  expect(later(119_500, strike('nats', 1_500, 3_000))).toEqual([]);
  expect(later(119_500, strike('listener-1', 1_500, 3_000))).toEqual([]);
  expect(later(60_000, strike('nats', 1_500, 3_000))).toHaveLength(1);
  expect(later(119_500, strike('listener-0', 1_500, 3_000))).toHaveLength(1);
  expect(later(119_500, strike('nats', 2_001, 3_000))).toHaveLength(1);
});

test('three minutes apart, and nothing was struck: a record that is not read or written', () => {
  expect(broken([...all, fact('started', 180_000)])).toHaveLength(1);
});

test('a message may be stored again when GitHub began its ids anew in between', () => {
  const restart = (scaleSet: string) => fault({ what: 'restart ids', scaleSet, forMs: 0 }, 30_000);
  const again = [...all, fact('started', 40_000, 'new id')];

  expect(broken(again, [restart('web')])).toEqual([]);
  expect(broken(again, [restart('other')])).toHaveLength(1);
  expect(broken([...all, fact('started', 20_000, 'new id')], [restart('web')])).toHaveLength(1);
});

test('but not one that had been deleted then', () => {
  const named = (messageId: number) => `fact-web-01612dbc-1-${messageId}-fe26494647b0833262-0`;
  const facts = [
    fact('assigned'),
    fact('completed'),
    fact('started', 0, named(100_000_026)),
    fact('started', 40_000, named(100_000_001)),
  ];
  const restart = fault({ what: 'restart ids', scaleSet: 'web', forMs: 0 }, 30_000);
  const deleted = (messageId: number, at: number) => [entry(at, 'deleted', { messageId })];

  expect(broken(facts, [restart], deleted(100_000_026, 500))).toHaveLength(1);
  expect(broken(facts, [restart], deleted(100_000_025, 500))).toEqual([]);
  expect(broken(facts, [restart], deleted(100_000_026, 30_001))).toEqual([]);
});

test('and one that was delivered before may be stored after it: NATS was away', () => {
  const facts = [
    fact('assigned'),
    fact('completed'),
    fact('started', 35_000, 'fact-web-01612dbc-1-100000026-fe26494647b0833262-0'),
    fact('started', 60_000, 'fact-web-01612dbc-1-100000001-45c3f81892e488a9b7-0'),
  ];
  const restart = fault({ what: 'restart ids', scaleSet: 'web', forMs: 0 }, 30_000);
  const delivered = (at: number) => [entry(at, 'delivered', { messageId: 100_000_026 })];

  expect(broken(facts, [restart], delivered(29_000))).toEqual([]);
  expect(broken(facts, [restart], delivered(32_000))).toHaveLength(1);
});
