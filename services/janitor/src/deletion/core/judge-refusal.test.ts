import type { Mark, Runner } from '@baton/shared/contracts';
import { aRunner, at } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { afterFailure } from './failed-step.ts';
import { judgeRefusal, outageDeadlineMs, patienceEndsMs } from './judge-refusal.ts';
import { notBegun } from './next-step.ts';

const limits = { deregisterDeadlineMs: 3_600_000, lostDeadlineMs: 900_000 };
const startMs = Date.parse(at);

function marked(reason: Mark['reason'], gate: Mark['gate'], part: Partial<Runner> = {}): Runner {
  const mark = { reason, gate, by: 'provisioner', at };
  return aRunner({ state: 'deleting', instanceId: 'i-1', mark, ...part });
}

const gone = { deletion: { ...notBegun, instanceDeleted: true, instanceDeletedAt: at } };

describe('judgeRefusal', () => {
  test.each([
    ['surplus', 'github', 'busy', 0, 'keep'],
    ['operator', 'github', 'busy', 0, 'keep'],
    ['surplus', 'github', 'outage', 2 * outageDeadlineMs, 'retry'],
    ['surplus', 'github', 'refused', 2 * outageDeadlineMs, 'retry'],
    ['lost', 'github', 'busy', 899_999, 'retry'],
    ['lost', 'github', 'busy', 900_000, 'look-again'],
    ['lost', 'github', 'outage', 2 * outageDeadlineMs, 'retry'],
    ['exited', 'none', 'busy', 2 * outageDeadlineMs, 'retry'],
  ] as const)(
    'while the instance is there: %s behind gate %s, %s after %i ms: %s',
    (reason, gate, refusal, afterMs, verdict) => {
      const runner = marked(reason, gate);

      expect(judgeRefusal(runner, refusal, startMs + afterMs, limits)).toBe(verdict);
    },
  );

  test.each([
    ['busy', 3_599_999, 'retry'],
    ['busy', 3_600_000, 'leave'],
    ['refused', 3_600_000, 'leave'],
    ['outage', outageDeadlineMs - 1, 'retry'],
    ['outage', outageDeadlineMs, 'leave'],
  ] as const)('once the instance is gone: %s after %i ms: %s', (refusal, afterMs, verdict) => {
    for (const reason of ['exited', 'lost'] as const) {
      const runner = marked(reason, 'github', gone);

      expect(judgeRefusal(runner, refusal, startMs + afterMs, limits)).toBe(verdict);
    }
  });

  test('counts from the last change of state where an earlier version did not say when', () => {
    const deletion = { ...notBegun, instanceDeleted: true };

    expect(patienceEndsMs(marked('exited', 'none', { deletion }), 'busy', limits)).toBe(
      startMs + 3_600_000,
    );
  });
});

describe('afterFailure', () => {
  const how = {
    step: 'deregister',
    text: 'the host is gone',
    nowMs: startMs,
    random: () => 0.5,
  } as const;
  const delayMs = (attempts: number, notAfterMs?: number) => {
    const { retryAt } = afterFailure({ ...notBegun, attempts }, { ...how, notAfterMs });
    return Date.parse(retryAt ?? '') - startMs;
  };

  test('waits longer each time, five minutes at the most, and says why', () => {
    expect([0, 1, 2, 30].map((attempts) => delayMs(attempts))).toEqual([
      1_500, 2_500, 4_500, 150_500,
    ]);
    expect(afterFailure(notBegun, how)).toMatchObject({
      attempts: 1,
      lastError: 'the host is gone',
    });
  });

  test('is there when something else is decided, and goes on as before when that is over', () => {
    expect(delayMs(30, startMs + 9_000)).toBe(9_000);
    expect(delayMs(30, startMs)).toBe(150_500);
  });
});
