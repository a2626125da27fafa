import { type ComputeProvider, ProviderError } from '@baton/providers';
import { runnerKey, type Spec } from '@baton/shared/contracts';
import { aPlan, aRunner, at, eventually } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bench, type Provisioner } from './testing/bench.ts';
import { EmptyProvider } from './testing/empty-provider.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

async function planAll({ planner }: Provisioner, specs: readonly Spec[]): Promise<number[]> {
  await bench.clock.advance(6_000);
  for (const { scaleSetId } of specs) {
    await planner.reconcile(scaleSetId);
    await bench.clock.advance(1_000);
  }
  const plans = await Promise.all(specs.map((spec) => bench.planOf(spec)));
  return plans.map(({ free }) => free);
}

describe('the scale sets of a provider', () => {
  test('share its room by weight, and never tell GitHub more than there is', async () => {
    const name = 'shared';
    const provisioner = await bench.provisioner(new EmptyProvider(8), { name });
    const declared = { provider: name, maxRunners: 20 };
    const specs = [
      await bench.declare('heavy', { ...declared, weight: 3 }),
      await bench.declare('light', declared),
    ];

    const first = await planAll(provisioner, specs);
    const second = await planAll(provisioner, specs);

    expect(first).toEqual([6, 2]);
    expect(second).toEqual([6, 2]);
  });

  test('leave what they do not need to the one whose jobs fill all that it may', async () => {
    const name = 'lent';
    const provisioner = await bench.provisioner(new EmptyProvider(10), { name });
    const specs = [
      await bench.declare('busy-one', { provider: name, maxRunners: 20 }),
      await bench.declare('idle-one', { provider: name, maxRunners: 20 }),
    ];
    const [busy] = specs;
    if (!busy) throw new Error('nothing was declared');
    expect(await planAll(provisioner, specs)).toEqual([5, 5]);

    // GitHub assigns as many as it may: more wait.
    for (let seq = 1; seq <= 4; seq += 1) {
      const { runners, free } = await bench.planOf(busy);
      await bench.demand(busy, { assigned: runners.length + free, seq });
      await planAll(provisioner, specs);
    }

    // None of the nine has an instance yet; one stays for whoever comes to the other.
    expect((await bench.planOf(busy)).runners).toHaveLength(9);
    expect((await planAll(provisioner, specs))[1]).toBe(1);
  });

  test('count runners of others that have no instance yet', async () => {
    const name = 'tight';
    const provisioner = await bench.provisioner(new EmptyProvider(4), { name });
    const declared = { provider: name, maxRunners: 20 };
    const other = await bench.declare('on-the-way', declared);
    const spec = await bench.declare('waiting', declared);
    const { scaleSetId } = other;
    const now = new Date(bench.clock.now()).toISOString();
    const alive = ['way1', 'way2', 'way3'];
    await bench.stores.plans.put(scaleSetId, aPlan({ scaleSetId, alive, pending: 3, freeAt: now }));
    for (const runnerId of alive) {
      const runner = aRunner({ scaleSetId, runnerId, createdAt: at });
      await bench.stores.runners.put(runnerKey(scaleSetId, runnerId), runner);
    }
    await bench.demand(spec, { assigned: 4 });

    await provisioner.planner.reconcile(spec.scaleSetId);

    expect(await bench.planOf(spec)).toMatchObject({
      runners: [{}],
      waiting: { reason: 'no-capacity', missing: 3 },
    });
  });
});

describe('a provider that has become slow', () => {
  test('keeps a burst of 200 jobs waiting for a second, not for its deadline', async () => {
    const name = 'slow';
    const provider = new SlowProvider();
    const { planner } = await bench.provisioner(provider, { name });
    const spec = await bench.declare('burst', { provider: name, maxRunners: 300 });
    await planner.reconcile(spec.scaleSetId);
    provider.hangs = true;
    await bench.clock.advance(1_000);
    await bench.demand(spec, { assigned: 200, seq: 1 });
    const asked = provider.asked;

    const planning = planner.reconcile(spec.scaleSetId);
    await eventually(() => expect(provider.asked).toBe(asked + 1));
    await bench.clock.advance(1_000);
    await planning;

    expect(await bench.commands('create', spec)).toHaveLength(200);
  });
});

describe('a provider that never answers any more', () => {
  /** One that has not answered for a minute. */
  async function aHangingOne(name: string) {
    const provider = new SlowProvider();
    const { planner } = await bench.provisioner(provider, { name });
    const spec = await bench.declare(`${name}-set`, { provider: name });
    await planner.reconcile(spec.scaleSetId);
    provider.hangs = true;
    await bench.clock.advance(60_000);
    return { provider, planner, spec };
  }

  test('keeps planning waiting for a second, not for its deadline', async () => {
    const { provider, planner, spec } = await aHangingOne('hanging');
    const asked = provider.asked;

    const planning = planner.reconcile(spec.scaleSetId);
    await eventually(() => expect(provider.asked).toBe(asked + 1));
    await bench.clock.advance(1_000);
    await planning;

    const text = 'provider "hanging" cannot be asked: it has not answered for 1000 ms';
    expect((await bench.planOf(spec)).problem).toMatchObject({ text });
  });

  test('is not asked while it is known to fail, and planning does not wait for it', async () => {
    const { provider, planner, spec } = await aHangingOne('known-to-hang');
    for (let question = 1; question <= 3; question += 1) {
      const asked = provider.asked;
      const planning = planner.reconcile(spec.scaleSetId);
      await eventually(() => expect(provider.asked).toBe(asked + 1));
      await bench.clock.advance(10_000);
      await planning;
    }
    const asked = provider.asked;

    await planner.reconcile(spec.scaleSetId);
    const meanwhile = provider.asked;
    provider.hangs = false;
    await bench.clock.advance(60_000);
    await planner.reconcile(spec.scaleSetId);

    expect(meanwhile).toBe(asked);
    expect((await bench.planOf(spec)).problem).toBeUndefined();
  });
});

/** Answers at first, and later never by itself. */
class SlowProvider extends EmptyProvider {
  asked = 0;
  hangs = false;

  override async capacity(...[signal]: Parameters<ComputeProvider['capacity']> | []) {
    this.asked += 1;
    if (!this.hangs) return await super.capacity();
    return await new Promise<never>((_resolve, reject) => {
      const end = () => reject(new ProviderError('transient', 'it was called off'));
      signal?.addEventListener('abort', end, { once: true });
    });
  }
}
