import { FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { Wakeups } from './wakeups.ts';

const { signal } = new AbortController();

describe('Wakeups', () => {
  test('wakes everyone who waits for that scale set, and nobody else', async () => {
    const clock = new FakeClock();
    const wakeups = new Wakeups();
    const woken: string[] = [];
    const wait = (id: string) =>
      wakeups.waitFor(id, { clock, maxMs: 1_000, signal }).then(() => void woken.push(id));
    const waiting = [wait('a'), wait('a'), wait('b')];

    wakeups.wake('a');
    await Promise.all(waiting.slice(0, 2));
    const before = [...woken];
    await clock.advance(1_000);

    expect(before).toEqual(['a', 'a']);
    expect(woken).toEqual(['a', 'a', 'b']);
  });

  test('one that listens hears what was said while it did not wait', async () => {
    const clock = new FakeClock();
    const wakeups = new Wakeups();
    using ear = wakeups.listen('a');

    wakeups.wake('a');
    await ear.wait({ clock, maxMs: 1_000, signal });
    const second = ear.wait({ clock, maxMs: 1_000, signal });

    expect(clock.sleeping).toBe(1);
    await clock.advance(1_000);
    await second;
  });

  test('ends without an error when it is stopped', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const waiting = new Wakeups().waitFor('a', { clock, maxMs: 1_000, signal: stop.signal });

    stop.abort();

    await expect(waiting).resolves.toBeUndefined();
    expect(clock.sleeping).toBe(0);
  });
});
