import { scaleSetIdOf } from '@baton/shared/contracts';
import { expect, test } from 'vitest';
import type { Disturbance } from './driver.ts';
import { brokenFacts, type StoredFact } from './facts.ts';
import { fault, job } from './testing/evidence.ts';

const done = { ...job('a', 'completed'), assignments: 1, startedAt: 10, completedAt: 20 };
const scaleSetId = scaleSetIdOf('web');

function fact(kind: string, storedMs = 0, messageId = kind): StoredFact {
  return { scaleSetId, jobId: 'a', type: `job.${kind}`, messageId, storedMs };
}

const all = [fact('assigned'), fact('started'), fact('completed')];

function broken(facts: StoredFact[], disturbances: Disturbance[] = []): string[] {
  return brokenFacts({ jobs: [done], facts, disturbances });
}

test('each fact once is as it should be', () => {
  expect(broken(all)).toEqual([]);
  expect(brokenFacts({ jobs: [job('b', 'queued')], facts: [], disturbances: [] })).toEqual([]);
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

test('the same message may be stored again when NATS has forgotten it', () => {
  expect(broken([...all, fact('started', 119_500)])).toEqual([]);
  expect(broken([...all, fact('started', 60_000)])).toHaveLength(1);
});

test('a message may be stored again when GitHub began its ids anew in between', () => {
  const restart = (scaleSet: string) => fault({ what: 'restart ids', scaleSet, forMs: 0 }, 30_000);
  const again = [...all, fact('started', 40_000, 'new id')];

  expect(broken(again, [restart('web')])).toEqual([]);
  expect(broken(again, [restart('other')])).toHaveLength(1);
  expect(broken([...all, fact('started', 20_000, 'new id')], [restart('web')])).toHaveLength(1);
});
