import { silentLogger } from '@baton/shared/telemetry';
import { FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { ProviderBreaker } from './provider-breaker.ts';

function aBreaker() {
  const clock = new FakeClock();
  const deps = { name: 'vms', clock, random: () => 1, log: silentLogger() };
  const breaker = new ProviderBreaker(deps);
  const fail = (scaleSetId: string, times: number) => {
    for (let n = 0; n < times; n += 1)
      breaker.createFailed(scaleSetId, 'transient: the host is gone');
  };
  const inMs = (ms: number) => new Date(clock.now() + ms).toISOString();
  return { clock, breaker, fail, inMs };
}

describe('ProviderBreaker', () => {
  test('opens after five creates that failed one after another, and says why and until when', () => {
    const { breaker, fail, inMs, clock } = aBreaker();

    fail('a', 4);
    const before = breaker.admit('a');
    fail('a', 1);

    expect(before).toBe('go');
    expect(breaker.trouble('a')).toEqual({
      problem: 'provider "vms" fails: transient: the host is gone',
      retryAt: inMs(5_000),
    });
    expect(breaker.admit('a')).toMatchObject({ retryAtMs: clock.now() + 5_000 });
  });

  test('stays closed when one of them succeeds', () => {
    const { breaker, fail } = aBreaker();

    fail('a', 4);
    breaker.createSucceeded();
    fail('a', 4);

    expect(breaker.admit('a')).toBe('go');
  });

  test('lets one create probe when its time is over, and closes when that succeeds', async () => {
    const { breaker, fail, clock } = aBreaker();
    fail('a', 5);
    fail('b', 1);
    await clock.advance(5_000);

    const due = [breaker.isProbeDue('a'), breaker.trouble('a')];
    const first = breaker.admit('a');
    const second = breaker.admit('b');
    const meanwhile = breaker.trouble('b');
    breaker.createSucceeded();
    breaker.probed();

    expect(due).toEqual([true, undefined]);
    expect(first).toBe('probe');
    expect(second).toMatchObject({ retryAtMs: clock.now() + 5_000 });
    expect(meanwhile).toBeDefined();
    expect([breaker.admit('a'), breaker.admit('b')]).toEqual(['go', 'go']);
    expect(breaker.trouble('b')).toBeUndefined();
  });

  test('waits longer after each probe that fails, a minute at the most', async () => {
    const { breaker, fail, clock, inMs } = aBreaker();
    fail('a', 5);
    const waits: (string | undefined)[] = [];
    const expected: string[] = [];

    for (const waitMs of [10_000, 20_000, 40_000, 60_000, 60_000]) {
      await clock.advance(60_000);
      expect(breaker.admit('a')).toBe('probe');
      fail('a', 1);
      breaker.probed();
      waits.push(breaker.trouble('a')?.retryAt);
      expected.push(inMs(waitMs));
    }

    expect(waits).toEqual(expected);
  });

  test('lets the next create probe when a probe ended without a verdict', async () => {
    const { breaker, fail, clock } = aBreaker();
    fail('a', 5);
    await clock.advance(5_000);
    breaker.admit('a');

    breaker.probed();

    expect(breaker.admit('a')).toBe('probe');
  });

  test('creates that hung from before it opened do not keep it open for longer', () => {
    const { breaker, fail } = aBreaker();
    fail('a', 5);
    const { retryAt } = breaker.trouble('a') ?? {};

    fail('a', 15);

    expect(breaker.trouble('a')?.retryAt).toBe(retryAt);
  });

  test('lets scale sets through that have not failed in it, and their success closes it', () => {
    const { breaker, fail } = aBreaker();
    fail('a', 5);

    const healthy = [breaker.admit('b'), breaker.trouble('b')];
    breaker.createSucceeded();

    expect(healthy).toEqual(['go', undefined]);
    expect(breaker.admit('a')).toBe('go');
  });

  test('is open to nobody when the provider cannot even be asked, until it can', async () => {
    const { breaker, clock } = aBreaker();
    for (let n = 0; n < 3; n += 1) breaker.questionFailed('timeout: no answer');

    const open = [breaker.admit('a'), breaker.admit('b')];
    await clock.advance(5_000);
    const probe = breaker.admit('b');
    breaker.probed();
    breaker.questionAnswered();

    expect(open).toMatchObject([{ problem: 'provider "vms" fails: timeout: no answer' }, {}]);
    expect(probe).toBe('probe');
    expect(breaker.admit('a')).toBe('go');
  });

  test('an answered question does not end what creates have begun', () => {
    const { breaker, fail } = aBreaker();
    fail('a', 5);

    breaker.questionAnswered();

    expect(breaker.trouble('a')).toBeDefined();
  });

  test('is told as open while it is probed, and not any more when nobody wants to create', async () => {
    const { breaker, fail, clock } = aBreaker();
    fail('a', 5);
    await clock.advance(5_000 + 119_000);

    const due = breaker.isOpen;
    breaker.admit('a');
    await clock.advance(600_000);
    const probed = breaker.isOpen;
    fail('a', 1);
    breaker.probed();
    const again = breaker.isOpen;
    await clock.advance(600_000);

    expect([due, probed, again, breaker.isOpen]).toEqual([true, true, true, false]);
    // It is still one create that finds out.
    expect(breaker.admit('a')).toBe('probe');
  });
});
