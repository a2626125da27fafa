import { getEventListeners } from 'node:events';
import { FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { withDeadline } from './deadline.ts';

const what = 'create runner';

describe('withDeadline', () => {
  test('gives what the work gives', async () => {
    const clock = new FakeClock();

    const result = await withDeadline({ clock, timeoutMs: 100, what }, () => Promise.resolve(7));

    expect(result).toBe(7);
    expect(clock.sleeping).toBe(0);
  });

  test('rejects with what the work rejects with', async () => {
    const clock = new FakeClock();
    const failure = new Error('broken');

    const working = withDeadline({ clock, timeoutMs: 100, what }, () => Promise.reject(failure));

    await expect(working).rejects.toBe(failure);
    expect(clock.sleeping).toBe(0);
  });

  test('rejects with what the work throws before it has waited for anything', async () => {
    const clock = new FakeClock();
    const failure = new Error('broken');

    const working = withDeadline({ clock, timeoutMs: 100, what }, () => {
      throw failure;
    });

    await expect(working).rejects.toBe(failure);
    expect(clock.sleeping).toBe(0);
  });

  test('cancels the work at its deadline and says what took too long', async () => {
    const clock = new FakeClock();
    const cancelled: unknown[] = [];

    const working = withDeadline({ clock, timeoutMs: 100, what }, async (signal) => {
      await clock.sleep(1_000, signal).catch((reason: unknown) => cancelled.push(reason));
    });
    const failing = expect(working).rejects.toMatchObject({
      code: 'timeout',
      retryable: true,
      message: 'create runner took longer than 100 ms',
    });
    await clock.advance(100);

    await failing;
    expect(cancelled).toMatchObject([{ code: 'timeout' }]);
    expect(clock.sleeping).toBe(0);
  });

  test('does not end the work before its deadline', async () => {
    const clock = new FakeClock();
    let ended = false;

    const working = withDeadline({ clock, timeoutMs: 100, what }, (signal) =>
      clock.sleep(1_000, signal),
    ).catch(() => {
      ended = true;
    });
    await clock.advance(99);
    const endedBefore = ended;
    await clock.advance(1);
    await working;

    expect(endedBefore).toBe(false);
    expect(ended).toBe(true);
  });

  test('rejects at its deadline even if the work ignores its signal', async () => {
    const clock = new FakeClock();

    const working = withDeadline({ clock, timeoutMs: 100, what }, () => new Promise(() => {}));
    const failing = expect(working).rejects.toMatchObject({ code: 'timeout' });
    await clock.advance(100);

    await failing;
  });

  test('a caller that calls it off cancels the work with its reason', async () => {
    const clock = new FakeClock();
    const caller = new AbortController();
    const reason = new Error('never mind');
    const seen: AbortSignal[] = [];

    const working = withDeadline(
      { clock, timeoutMs: 100, what, signal: caller.signal },
      async (signal) => {
        seen.push(signal);
        await new Promise(() => {});
      },
    );
    caller.abort(reason);

    await expect(working).rejects.toBe(reason);
    expect(seen.map(({ aborted }) => aborted)).toEqual([true]);
    expect(clock.sleeping).toBe(0);
  });

  test('a caller that calls it off hears its reason, and not what the work makes of it', async () => {
    const clock = new FakeClock();
    const caller = new AbortController();
    const reason = new Error('never mind');

    const working = withDeadline(
      { clock, timeoutMs: 100, what, signal: caller.signal },
      (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('no answer')));
        }),
    );
    caller.abort(reason);

    await expect(working).rejects.toBe(reason);
  });

  test('does not begin what was called off before', async () => {
    const clock = new FakeClock();
    const reason = new Error('never mind');
    let begun = false;

    const working = withDeadline(
      { clock, timeoutMs: 100, what, signal: AbortSignal.abort(reason) },
      () => {
        begun = true;
        return Promise.resolve();
      },
    );

    await expect(working).rejects.toBe(reason);
    expect(begun).toBe(false);
  });

  test('leaves no listener on a signal that lives on', async () => {
    const clock = new FakeClock();
    const { signal } = new AbortController();

    for (let n = 0; n < 20; n += 1) {
      await withDeadline({ clock, timeoutMs: 100, what, signal }, () => Promise.resolve());
    }

    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(clock.sleeping).toBe(0);
  });
});
