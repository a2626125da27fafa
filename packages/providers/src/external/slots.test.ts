import { describe, expect, test } from 'vitest';
import { Slots } from './slots.ts';

const { signal } = new AbortController();

/** Work that says when it begins, and ends when it is told to. */
function held() {
  const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const work = () => {
    begun.resolve();
    return end.promise;
  };
  return { work, begun: begun.promise, end: end.resolve };
}

describe('Slots', () => {
  test('runs so many at once, the others in their order', async () => {
    const slots = new Slots(2);
    const order: number[] = [];
    const works = [held(), held(), held(), held()];
    const running = works.map(({ work }, index) =>
      slots.use(signal, () => {
        order.push(index);
        return work();
      }),
    );

    await works[1]?.begun;
    expect(order).toEqual([0, 1]);
    works[1]?.end();
    await works[2]?.begun;
    expect(order).toEqual([0, 1, 2]);
    for (const { end } of works) end();
    await Promise.all(running);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  test('lets go of who gives up waiting, and keeps its place free for the next', async () => {
    const slots = new Slots(1);
    const first = held();
    const running = slots.use(signal, first.work);
    const caller = new AbortController();
    const gaveUp = slots.use(caller.signal, () => Promise.resolve('never'));
    const next = slots.use(signal, () => Promise.resolve('next'));

    caller.abort(new Error('gave up'));
    await expect(gaveUp).rejects.toThrow('gave up');
    first.end();
    await running;

    expect(await next).toBe('next');
  });

  test('gives the place back when the work fails', async () => {
    const slots = new Slots(1);

    await expect(slots.use(signal, () => Promise.reject(new Error('no')))).rejects.toThrow('no');

    expect(await slots.use(signal, () => Promise.resolve('yes'))).toBe('yes');
  });
});
