import type { Runner } from '@baton/shared/contracts';
import { attributes } from '@baton/shared/telemetry';
import { recordSpans } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestSet } from '../testing/bench.ts';
import type { Led } from './run-sweep.ts';
import { finding, markOf } from './testing/missing.ts';
import { SweepBench, type Sweeper } from './testing/sweep-bench.ts';

let world: SweepBench;
let set: TestSet;
let sweeper: Sweeper;
let found: Runner[];
let led: Led;

beforeAll(async () => {
  world = await SweepBench.start();
  set = await world.bench.register('swept');
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

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

async function idle(runnerId: string): Promise<Runner> {
  const part = { runnerId, state: 'idle', mark: undefined, traceparent } as const;
  return await world.bench.record(set, part);
}

describe('a run of a sweep', () => {
  test('that finds nothing is not told', async () => {
    using spans = recordSpans();

    await world.run(sweeper, led);

    expect(spans.told).toEqual([]);
    expect(spans.open).toEqual([]);
  });

  test('that marks runners is a trace of its own, linked to theirs', async () => {
    found = [await idle('a1')];
    using spans = recordSpans();
    const startedAt = world.bench.clock.now();

    await world.run(sweeper, led);

    expect(spans.the('sweep finished')).toMatchObject({
      parent: undefined,
      links: [traceparent],
      startedAt,
      error: undefined,
      attributes: {
        [attributes.sweep]: 'finished',
        [attributes.acted]: 1,
        [attributes.lookedAt]: 1,
      },
    });
    expect(spans.the('publish delete').traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
  });

  test('that holds something is told when it begins to, not in every run', async () => {
    found = [await idle('a2'), await idle('b2'), await idle('c2')];
    using spans = recordSpans();

    await world.run(sweeper, led);
    await world.run(sweeper, led);

    expect(spans.the('sweep finished').attributes).toMatchObject({
      [attributes.held]: 3,
      [attributes.acted]: 0,
    });
  });

  test('that fails is told with why', async () => {
    const broken = finding(() => {
      throw new Error('cannot decide');
    });
    using spans = recordSpans();

    await expect(world.run(sweeper, world.led(sweeper, broken))).rejects.toThrow('cannot decide');

    expect(spans.the('sweep finished').error).toMatchObject({ message: 'cannot decide' });
  });

  test('that only looks, for a person, leaves no trace', async () => {
    found = [await idle('a3')];
    using spans = recordSpans();

    await world.run(sweeper, led, { dryRun: true });

    expect(spans.told).toEqual([]);
  });
});
