import { runnerKey } from '@baton/shared/contracts';
import { openRunners } from '@baton/shared/stores';
import { aRunner, eventually } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestSet } from '../testing/bench.ts';
import { scopeOf } from './sweep.ts';
import { GivenProvider, instanceOf } from './testing/given-provider.ts';
import { SweepBench, type Sweeper } from './testing/sweep-bench.ts';
import type { Wanted } from './views.ts';

let world: SweepBench;
let set: TestSet;
let sweeper: Sweeper;
let local: GivenProvider;
let other: GivenProvider;

beforeAll(async () => {
  world = await SweepBench.start();
  set = await world.bench.register('viewed');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await world.clear();
  [local, other] = [new GivenProvider(), new GivenProvider()];
  const providers = new Map([
    ['local', local],
    ['other', other],
  ]);
  sweeper = await world.sweeper({ providers });
});

const { signal } = new AbortController();

async function collect(part: Partial<Wanted> = {}) {
  const wanted: Wanted = { providers: ['local', 'other'], registrations: 'none', seen: new Map() };
  return await sweeper.views.collect({ ...wanted, ...part }, signal);
}

async function aRecord(runnerId: string) {
  return await world.bench.record(set, { runnerId, state: 'idle', mark: undefined });
}

describe('views', () => {
  test('a runner that is made while the lists are read has a record afterwards', async () => {
    const runner = aRunner({
      scaleSetId: set.spec.scaleSetId,
      runnerId: 'new1',
      state: 'creating',
    });
    local.takes = async () => {
      // As provisioners do: the record first, then the instance.
      const runners = await openRunners(await world.bench.nats.connect('provisioner'));
      await runners.create(runnerKey(runner.scaleSetId, runner.runnerId), runner);
    };
    local.instances = [instanceOf(runner)];

    const { views } = await collect();

    const ids = (view: typeof views.before) => view.items.map(({ runnerId }) => runnerId);
    expect(ids(views.before)).toEqual([]);
    expect(ids(views.after)).toEqual(['new1']);
    expect(views.instances.get('local')?.items).toHaveLength(1);
  });

  test('each has its time: records, then lists, then records', async () => {
    local.takes = () => world.bench.clock.sleep(2_000);
    const collecting = collect();
    await eventually(() => expect(local.asked).toBe(1));
    await world.bench.clock.advance(2_000);

    const { views } = await collecting;

    const { before, after, instances } = views;
    const list = instances.get('local');
    expect(before.askedMonotonicMs).toBeLessThanOrEqual(list?.askedMonotonicMs ?? -1);
    expect(after.askedMonotonicMs - (list?.askedMonotonicMs ?? 0)).toBe(2_000);
    expect(views.nowMs).toBe(world.bench.clock.now());
  });

  test('knows who was deleted a moment ago', async () => {
    const runner = await aRecord('deleted1');
    const key = runnerKey(runner.scaleSetId, runner.runnerId);
    await world.bench.runners.delete(key, (await world.bench.runners.get(key))?.revision ?? 0);

    const { views } = await collect();

    expect(views.wasDeleted(runner.scaleSetId, 'deleted1')).toBe(true);
    expect(views.wasDeleted(runner.scaleSetId, 'never1')).toBe(false);
  });

  test('a provider that fails is left out, and said', async () => {
    other.problem = 'no such region';

    const { views, problems } = await collect();

    expect([...views.instances.keys()]).toEqual(['local']);
    expect(problems).toEqual([expect.stringMatching(/^instances of other: .*no such region/)]);
  });

  test('one that hangs keeps nobody waiting for longer than 15 s; its list is there for the next', async () => {
    let answer: () => void = () => undefined;
    other.takes = () =>
      new Promise<void>((resolve) => {
        answer = resolve;
      });
    const first = collect();
    await eventually(() => expect(other.asked).toBe(1));
    await eventually(() => expect(world.bench.clock.sleeping).toBeGreaterThanOrEqual(2));
    await world.bench.clock.advance(15_000);
    const without = await first;
    answer();
    await world.bench.clock.advance(30_000);
    const later = await collect({ seen: without.asked });

    expect([...without.views.instances.keys()]).toEqual(['local']);
    expect(without.problems).toEqual([expect.stringContaining('took longer than 15000 ms')]);
    expect([...later.views.instances.keys()].sort()).toEqual(['local', 'other']);
    expect(other.asked).toBe(1);
    // What it lacks has gone only if it was there before that list was asked for.
    expect(later.views.before.askedMonotonicMs).toBeLessThanOrEqual(
      later.views.instances.get('other')?.askedMonotonicMs ?? -1,
    );
  });

  test('who ask together share the lists, and nobody is given the same one twice', async () => {
    const [first, second] = await Promise.all([collect(), collect({ providers: ['local'] })]);
    await world.bench.clock.advance(4_000);
    await collect({ providers: ['local'] });
    expect(local.asked).toBe(1);

    const again = await collect({ providers: ['local'], seen: first.asked });

    expect(local.asked).toBe(2);
    expect(second.views.instances.get('local')).toEqual(first.views.instances.get('local'));
    expect(again.asked.get('instances of local')).toBeGreaterThan(
      first.asked.get('instances of local') ?? 0,
    );
    await world.bench.clock.advance(5_001);
    await collect({ providers: ['local'] });
    expect(local.asked).toBe(3);
  });
});

describe("GitHub's lists", () => {
  const scope = () => scopeOf(set.spec);

  test('are asked for only where a scale set has records, unless strangers are looked for', async () => {
    const none = await collect({ registrations: 'with records' });
    await aRecord('known1');
    const some = await collect({ registrations: 'with records' });
    await world.clear();
    const all = await collect({ registrations: 'all' });

    expect([...none.views.registrations.keys()]).toEqual([]);
    expect([...some.views.registrations.keys()]).toEqual([scope()]);
    expect([...all.views.registrations.keys()]).toEqual([scope()]);
  });

  test('that cannot be had are left out, and decide nothing', async () => {
    await aRecord('known2');
    await world.bench.sim.control.outage(600_000);

    const { views, problems } = await collect({ registrations: 'with records' });

    expect([...views.registrations.keys()]).toEqual([]);
    expect(problems).toHaveLength(1);
  });
});
