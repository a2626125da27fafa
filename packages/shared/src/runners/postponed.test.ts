import { aRunner } from '@baton/testkit';
import { expect, test } from 'vitest';
import type { Observation } from './observation.ts';
import { transition } from './transition.ts';

const at = '2026-01-01T00:01:00.000Z';
const creator = { v: 1, identity: 'provisioner-0', incarnation: 'abc' } as const;
const until = (retryAt: string, reason: string): Observation => ({
  kind: 'postponed',
  retryAt,
  reason,
});

function apply(runner: ReturnType<typeof aRunner>, observation: Observation) {
  const result = transition(runner, observation, at);
  return result.kind === 'refused' ? runner : result.runner;
}

test('a create that is put off before and after its claim counts how often, and says why', () => {
  const before = apply(aRunner(), until(at, 'quota: no room'));
  const claimed = apply(before, { kind: 'creating', creator });
  const after = apply(claimed, until('2026-01-01T00:02:00.000Z', 'unavailable: 503'));

  expect(before).toEqual(
    aRunner({ retryAt: at, postponed: { reason: 'quota: no room', count: 1 } }),
  );
  expect(after).toMatchObject({
    state: 'requested',
    retryAt: '2026-01-01T00:02:00.000Z',
    postponed: { reason: 'unavailable: 503', count: 2 },
  });
});

test('a create that was put off until the same time for the same reason was not put off again', () => {
  const once = apply(aRunner(), until(at, 'quota: no room'));

  expect(transition(once, until(at, 'quota: no room'), at)).toEqual({ kind: 'refused' });
});

test.each([
  'starting',
  'idle',
  'busy',
  'completed',
  'failed',
  'lost',
  'marked',
  'deleting',
] as const)('a runner that is %s cannot be put off any more', (state) => {
  const runner = aRunner({ state });

  expect(transition(runner, until(at, 'late'), at)).toEqual({ kind: 'refused' });
});
