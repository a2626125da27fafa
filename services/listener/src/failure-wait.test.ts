import { AppError } from '@baton/shared/errors';
import { captureLog, FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { FailureWait } from './failure-wait.ts';
import { Wakeups } from './wakeups.ts';

const refused = new AppError('config', 'the credential is refused');

/** A scale set that cannot be served; `attempts` holds when it was tried, in ms. */
function aBrokenSet({ failedElsewhere }: { failedElsewhere: boolean }) {
  const clock = new FakeClock();
  const told: unknown[] = [];
  const specHints = new Wakeups();
  const reports = { failed: (error: AppError) => void told.push(error) };
  const failure = new FailureWait(
    { clock, random: () => 1, log: captureLog().log, specHints, reports },
    'linux',
  );
  const attempts: number[] = [];
  const work = () => {
    attempts.push(clock.monotonic());
    return Promise.reject(refused);
  };
  const { signal } = new AbortController();
  const ended = failure
    .outlast(work, signal, () => Promise.resolve(failedElsewhere))
    .then(
      () => undefined,
      (error: unknown) => ({ error, at: clock.monotonic() }),
    );
  return { clock, told, specHints, attempts, ended };
}

describe('FailureWait', () => {
  test('leaves the first failure to another listener', async () => {
    const { clock, ended, told, attempts } = aBrokenSet({ failedElsewhere: false });
    await clock.advance(0);

    expect(await ended).toEqual({ error: refused, at: 0 });
    expect([told, attempts]).toEqual([[refused], [0]]);
  });

  test('tries longer and longer what another could not serve, then lets a third try', async () => {
    const { clock, ended, attempts } = aBrokenSet({ failedElsewhere: true });
    await clock.advance(120_000);

    expect(await ended).toEqual({ error: refused, at: attempts.at(-1) });
    expect(attempts).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000]);
  });

  test('tries at once when something was changed', async () => {
    const { clock, specHints, attempts } = aBrokenSet({ failedElsewhere: true });
    await clock.advance(20_000);
    specHints.wake('linux');
    await clock.advance(0);

    expect(attempts.at(-1)).toBe(20_000);
  });
});
