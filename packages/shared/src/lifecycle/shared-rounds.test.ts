import { describe, expect, test } from 'vitest';
import { SharedRounds } from './shared-rounds.ts';

/** Rounds that end when the test says so. */
function setUp() {
  const begun: PromiseWithResolvers<void>[] = [];
  const rounds = new SharedRounds(() => {
    const round = Promise.withResolvers<void>();
    begun.push(round);
    return round.promise;
  });
  return { rounds, begun };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('SharedRounds', () => {
  test('begins at once when nothing is under way', () => {
    const { rounds, begun } = setUp();

    void rounds.run();

    expect(begun).toHaveLength(1);
  });

  test('who asks while a round is under way waits for the next, which all of them share', async () => {
    const { rounds, begun } = setUp();
    const ended: string[] = [];
    void rounds.run().then(() => ended.push('first'));
    for (const name of ['second', 'third']) void rounds.run().then(() => ended.push(name));

    begun[0]?.resolve();
    await settled();
    expect(ended).toEqual(['first']);
    expect(begun).toHaveLength(2);

    begun[1]?.resolve();
    await settled();
    expect(ended).toEqual(['first', 'second', 'third']);
    expect(begun).toHaveLength(2);
  });

  test('never has two rounds under way, whenever it is asked', async () => {
    let running = 0;
    let most = 0;
    const rounds = new SharedRounds(async () => {
      running += 1;
      most = Math.max(most, running);
      await settled();
      running -= 1;
    });

    const callers = Array.from({ length: 20 }, async (_, caller) => {
      for (let turn = 0; turn < caller; turn += 1) await Promise.resolve();
      await rounds.run();
      await rounds.run();
    });
    await Promise.all(callers);

    expect(most).toBe(1);
  });

  test('a round that fails fails those who waited for it, and the next begins', async () => {
    const { rounds, begun } = setUp();
    const first = rounds.run();
    const second = rounds.run();

    begun[0]?.reject(new Error('no'));
    await expect(first).rejects.toThrow('no');
    await settled();
    begun[1]?.resolve();

    await expect(second).resolves.toBeUndefined();
  });
});
