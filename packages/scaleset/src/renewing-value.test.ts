import { silentLogger } from '@baton/shared/telemetry';
import { FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { RenewingValue } from './renewing-value.ts';

const minuteMs = 60_000;

function aValue(lifeMs = 20 * minuteMs) {
  const clock = new FakeClock();
  const script = { loads: 0, fails: false };
  const value = new RenewingValue({
    clock,
    random: () => 0.5,
    log: silentLogger(),
    load: async () => {
      script.loads += 1;
      const mine = script.loads;
      await new Promise((resolve) => setImmediate(resolve));
      if (script.fails) throw new Error('outage');
      return { value: `v${mine}`, expiresAtMs: clock.now() + lifeMs };
    },
  });
  return { clock, script, value };
}

describe('RenewingValue', () => {
  test('loads once for many callers', async () => {
    const { value, script } = aValue();

    const values = await Promise.all([value.get(), value.get(), value.get()]);

    expect(values).toEqual(['v1', 'v1', 'v1']);
    expect(script.loads).toBe(1);
  });

  test('renews at 80 % of its life, handing out the old value meanwhile', async () => {
    const { value, clock } = aValue();
    await value.get();

    await clock.advance(16 * minuteMs);

    expect(await value.get()).toBe('v1');
    await clock.advance(0);
    expect(await value.get()).toBe('v2');
  });

  test('in the last minute callers wait for the new value', async () => {
    const { value, clock } = aValue();
    await value.get();

    await clock.advance(19 * minuteMs);

    expect(await value.get()).toBe('v2');
  });

  test('a failed renewal keeps the old value and is not repeated at once', async () => {
    const { value, clock, script } = aValue();
    await value.get();
    script.fails = true;

    await clock.advance(16 * minuteMs);
    await value.get();
    await clock.advance(1_000);

    expect(await value.get()).toBe('v1');
    expect(script.loads).toBe(2);
  });

  test('a value that seems to be over when it is new is used for a minute', async () => {
    const { value, clock, script } = aValue(-5 * minuteMs);

    await value.get();
    await clock.advance(30_000);
    await value.get();

    expect(script.loads).toBe(1);
  });

  test('invalidating a value twice renews it once', async () => {
    const { value } = aValue();
    const refused = await value.get();

    value.invalidate(refused);
    await value.get();
    value.invalidate(refused);

    expect(await value.get()).toBe('v2');
  });

  test('an abort ends the wait of one caller only', async () => {
    const { value } = aValue();
    const controller = new AbortController();

    const aborted = value.get(controller.signal);
    const other = value.get();
    controller.abort(new Error('stop'));

    await expect(aborted).rejects.toThrow('stop');
    expect(await other).toBe('v1');
  });
});
