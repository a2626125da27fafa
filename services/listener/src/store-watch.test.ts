import { AppError } from '@baton/shared/errors';
import { FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { StoreWatch } from './store-watch.ts';

/** A watch, what it says, and writes that end when the test wants. */
function aWatch() {
  const clock = new FakeClock();
  const said: (string | undefined)[] = [];
  const watch = new StoreWatch(clock, { tell: (text) => void said.push(text) });
  const write = () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const ended = watch.during(() => promise);
    ended.catch(() => undefined);
    const store = async () => {
      resolve();
      await ended;
    };
    return { store, fail: () => reject(new Error('given up')) };
  };
  return { clock, watch, said, write };
}

describe('StoreWatch', () => {
  test('tells after 30 s in which something waits and nothing is stored, until something is', async () => {
    const { clock, watch, said, write } = aWatch();
    const { store } = write();
    watch.failed(new AppError('nats', 'publish failed', { cause: new Error('no space') }));

    await clock.advance(29_999);
    const before = [...said];
    await clock.advance(1);
    await store();

    expect(before).toEqual([]);
    expect(said).toHaveLength(2);
    expect(said[0]).toContain('for 30 s (publish failed: no space): nothing is lost');
    expect(said[1]).toBeUndefined();
  });

  test('everything that is stored gives new time', async () => {
    const { clock, said, write } = aWatch();
    write();

    for (let n = 0; n < 10; n += 1) {
      const { store } = write();
      await clock.advance(20_000);
      await store();
    }
    expect(said).toEqual(Array(10).fill(undefined));
    await clock.advance(30_000);

    expect(said.at(-1)).toContain('for 30 s');
  });

  test('is silent while nothing waits', async () => {
    const { clock, said, write } = aWatch();
    write().fail();

    await clock.advance(120_000);

    expect(said).toEqual([]);
  });
});
