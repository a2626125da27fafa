import type { Runner, SessionRecord, Spec, Status } from '@baton/shared/contracts';
import { expect, test } from 'vitest';
import { type Deletion, findObstacles } from './find-obstacles.ts';

const at = '2026-01-01T00:00:00.000Z';

test('nothing is in the way when the listener says so and no runner is left', () => {
  expect(findObstacles(aDeletion({ status: aStatus('deleted', 20) }))).toEqual([]);
});

test('a status from before the deletion does not count', () => {
  expect(findObstacles(aDeletion({ status: aStatus('deleted', 5) }))).toEqual([
    'listener l-0 reports "deleted"',
  ]);
});

test('runners are counted by state even after the session is closed', () => {
  const runners = [aRunner('busy'), aRunner('busy'), aRunner('deleting', 'no such host')];

  expect(findObstacles(aDeletion({ status: aStatus('deleted', 20), runners }))).toEqual([
    '3 runners (2 busy, 1 deleting), last error: no such host',
  ]);
});

test('says what is known while the listener is at it, and when there is none', () => {
  const session = { owner: 'l-0/1', demand: { assigned: 2 }, session: {} } as SessionRecord;

  expect(findObstacles(aDeletion({ session, status: aStatus('polling', 20) }))).toEqual([
    '2 jobs assigned by GitHub',
    'session held by l-0/1',
    'listener l-0 reports "polling"',
  ]);
  expect(findObstacles(aDeletion({}))).toEqual(['no listener has reported on it']);
});

function aDeletion(part: Partial<Deletion>): Deletion {
  const spec = {
    key: 'a',
    value: { deleting: true } as Spec,
    revision: 1,
    writtenAt: new Date(10),
  };
  return { spec, status: undefined, session: undefined, runners: [], ...part };
}

function aStatus(state: Status['state'], writtenAt: number): Deletion['status'] {
  const nothing = { conditions: [], replacedAt: [] };
  const value = {
    v: 1,
    scaleSetId: 'a',
    state,
    owner: 'l-0',
    epoch: 1,
    since: at,
    ...nothing,
  } as const;
  return { key: 'a', value, revision: 1, writtenAt: new Date(writtenAt) };
}

function aRunner(state: Runner['state'], lastError?: string): Runner {
  return { state, ...(lastError ? { deletion: { lastError } } : {}) } as Runner;
}
