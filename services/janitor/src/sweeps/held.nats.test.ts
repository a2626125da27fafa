import type { Runner } from '@baton/shared/contracts';
import { isoNow } from '@baton/shared/time';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestSet } from '../testing/bench.ts';
import { type Led, runSweep } from './run-sweep.ts';
import { SweepSpan } from './sweep-span.ts';
import { StandingState } from './sweep-state.ts';
import { finding, markOf } from './testing/missing.ts';
import { SweepBench, type Sweeper } from './testing/sweep-bench.ts';

let world: SweepBench;
let set: TestSet;
let sweeper: Sweeper;
let found: Runner[];
let led: Led;

beforeAll(async () => {
  world = await SweepBench.start();
  set = await world.bench.register('held');
  sweeper = await world.sweeper({ max: 2 });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await world.clear();
  found = [];
  const find = () => found.map((runner) => markOf(runner, { reason: 'lost', gate: 'github' }));
  led = world.led(sweeper, finding(find, { guarded: true }));
});

async function idle(...runnerIds: string[]): Promise<Runner[]> {
  return await Promise.all(
    runnerIds.map((runnerId) =>
      world.bench.record(set, { runnerId, state: 'idle', mark: undefined }),
    ),
  );
}

async function states(runners: readonly Runner[]) {
  const read = await Promise.all(runners.map((runner) => world.bench.read(runner)));
  return read.map((runner) => runner?.state);
}

async function holdNow() {
  return (await world.state(led))?.hold;
}

describe('more than may go at once', () => {
  test('is held, whole, and told once', async () => {
    found = await idle('a1', 'b1', 'c1');
    const before = await world.sweepEvents();

    const first = await world.run(sweeper, led);
    await world.run(sweeper, led);

    expect(first).toMatchObject({ acted: { mark: 0 }, left: { held: 3 } });
    expect(await states(found)).toEqual(['idle', 'idle', 'idle']);
    expect(await holdNow()).toMatchObject({ count: 3, of: 3, runnerIds: ['a1', 'b1', 'c1'] });
    expect((await world.sweepEvents()).slice(before.length)).toEqual(['sweep.held']);
  });

  test('goes when it is confirmed, and none that came later', async () => {
    const held = await idle('a2', 'b2', 'c2');
    const later = await idle('d2', 'e2', 'f2');
    found = held;
    await world.run(sweeper, led);
    await world.confirm(led, (await holdNow())?.id ?? '');
    // One is back, three more are gone by now.
    found = [...held.slice(1), ...later];

    const result = await world.run(sweeper, led);

    expect(result).toMatchObject({ acted: { mark: 2 }, left: { held: 3 } });
    expect(await states(held)).toEqual(['idle', 'marked', 'marked']);
    expect(await states(later)).toEqual(['idle', 'idle', 'idle']);
    expect((await world.state(led))?.recent).toEqual([]);
    const texts = (await Promise.all(held.map((one) => world.bench.read(one)))).map(
      (one) => one?.mark?.text,
    );
    expect(texts.slice(1)).toEqual(Array(2).fill('not listed; confirmed by operator ann'));

    found = later;
    await world.run(sweeper, led);

    expect(await states(later)).toEqual(['idle', 'idle', 'idle']);
    expect(await holdNow()).toMatchObject({ runnerIds: ['d2', 'e2', 'f2'] });
  });

  test('a word for an earlier hold is none for a later one', async () => {
    const all = await idle('a3', 'b3', 'c3', 'd3');
    found = all.slice(0, 3);
    await world.run(sweeper, led);
    const first = await holdNow();
    found = all;
    await world.run(sweeper, led);
    await world.confirm(led, first?.id ?? '');

    await world.run(sweeper, led);

    expect((await holdNow())?.id).not.toBe(first?.id);
    expect(await states(all)).toEqual(['idle', 'idle', 'idle', 'idle']);
  });

  test('is not held any more when it is not found any more', async () => {
    found = await idle('a4', 'b4', 'c4');
    await world.run(sweeper, led);
    found = [];

    await world.run(sweeper, led);

    expect(await holdNow()).toBeUndefined();
    expect((await world.sweepEvents()).at(-1)).toBe('sweep.released');
  });

  test('outlives its leader: the next one holds the same', async () => {
    found = await idle('a5', 'b5', 'c5');
    await world.run(sweeper, led);
    const before = await holdNow();
    const next = await world.sweeper({ max: 2 });

    await world.run(next, { ...led, memory: led.part.sweep.begin() });

    expect(await holdNow()).toEqual(before);
  });

  test('counts what another leader marked, also when that ended in the middle of it', async () => {
    const [one, two, three] = await idle('a6', 'b6', 'c6');
    found = [one, two].filter((runner) => runner !== undefined);
    // Its process ends when it has said what it is about to do, and before it can say what it did.
    const standing = new StandingState(sweeper, led.part);
    await runSweep(sweeper, led, {
      standing: await standing.read(),
      dryRun: false,
      span: new SweepSpan(led.part, world.bench.clock),
      signal: new AbortController().signal,
      announce: async ({ recent, lookedAt }) => {
        const startedAt = isoNow(world.bench.clock);
        await standing.write({
          by: 'x',
          startedAt,
          tookMs: 0,
          lookedAt,
          acted: 0,
          left: {},
          recent,
        });
      },
    });
    found = three ? [three] : [];

    const result = await world.run(sweeper, led);

    expect(result.left).toMatchObject({ held: 1 });
    expect(await states(found)).toEqual(['idle']);
  });
});
