import { ProviderError } from '@baton/providers';
import type { Runner, Spec } from '@baton/shared/contracts';
import { observeRunner } from '@baton/shared/runners';
import { eventually } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRunner } from './create-runner.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { failsAtOnce, hangs, PlayingProvider } from './testing/playing-provider.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();

async function command(provisioner: Provisioner, { scaleSetId, runnerId }: Runner) {
  return await createRunner(provisioner, { v: 1, scaleSetId, runnerId }, signal);
}

/** What the plan of a scale set that asks for nothing is told. */
async function capacityOf({ capacity }: Provisioner, spec: Spec) {
  return await capacity.of({ spec, plan: undefined, demand: undefined, pending: 0 });
}

/** A registered scale set with runners that were asked for, in a provider that does as it is told. */
async function aSet(name: string, count = 1, provider = new PlayingProvider()) {
  const spec = await bench.register(name, { maxRunners: 100 });
  const provisioner = await bench.provisioner(provider);
  await bench.demand(spec, { assigned: count });
  await provisioner.planner.reconcile(spec.scaleSetId);
  const records = await bench.runnersOf(spec);
  const [record] = records;
  if (!record) throw new Error('no runner was requested');
  return { spec, provider, provisioner, records, record };
}

async function registeredNames(scaleSet: string): Promise<string[]> {
  const { runners } = await bench.sim.control.state();
  return runners.filter((runner) => runner.scaleSet === scaleSet).map(({ name }) => name);
}

function inMs(ms: number): string {
  return new Date(bench.clock.now() + ms).toISOString();
}

/** The runner of the plan that is not among `known`, when the back-off is over. */
async function successorOf(spec: Spec, provisioner: Provisioner, known: readonly Runner[]) {
  await bench.clock.advance(300_000);
  await provisioner.planner.reconcile(spec.scaleSetId);
  const ids = known.map(({ runnerId }) => runnerId);
  return (await bench.runnersOf(spec)).find(
    ({ state, runnerId }) => state === 'requested' && !ids.includes(runnerId),
  );
}

describe('a provider that fails', () => {
  test('five creates of five has the rest wait in their records, with no JIT config used up', async () => {
    const { spec, provider, provisioner, records } = await aSet('failing', 8);
    provider.play(spec.scaleSetId, failsAtOnce);

    for (const record of records) await command(provisioner, record);

    const now = await bench.runnersOf(spec);
    const waiting = now.filter(({ state }) => state === 'requested');
    expect(provider.asked).toHaveLength(5);
    expect(await registeredNames('failing')).toHaveLength(5);
    expect(now.filter(({ mark }) => mark?.gate === 'github')).toHaveLength(5);
    expect(waiting).toHaveLength(3);
    const reason = 'provider "local" fails: transient: the host is gone';
    for (const runner of waiting) expect(runner).toMatchObject({ postponed: { reason } });
    const capacity = await capacityOf(provisioner, spec);
    expect(capacity).toEqual({ problem: reason, retryAt: waiting[0]?.retryAt });
  });

  test('is probed by one create when its time is over, and then used again', async () => {
    const { spec, provider, provisioner, records } = await aSet('recovering', 7);
    const [sixth, seventh] = [records[5], records[6]].filter((record) => record !== undefined);
    if (!sixth || !seventh) throw new Error('too few runners were requested');
    provider.play(spec.scaleSetId, failsAtOnce);
    for (const record of records.slice(0, 5)) await command(provisioner, record);
    await command(provisioner, sixth);
    const gate = Promise.withResolvers<undefined>();
    provider.play(spec.scaleSetId, async () => await gate.promise);
    await bench.clock.advance(60_000);

    const probe = command(provisioner, sixth);
    await eventually(() => expect(provider.asked).toHaveLength(6));
    const meanwhile = await command(provisioner, seventh);
    gate.resolve(undefined);
    const probed = await probe;
    await bench.clock.advance(60_000);
    const after = await command(provisioner, seventh);

    expect([meanwhile, probed, after]).toEqual(['held-back', 'created', 'created']);
    expect(await capacityOf(provisioner, spec)).toHaveProperty('free');
  });

  test('every create of a burst still gives the next job an attempt', async () => {
    const { spec, provider, provisioner, records } = await aSet('all-failed', 5);
    provider.play(spec.scaleSetId, failsAtOnce);
    for (const record of records) await command(provisioner, record);
    provider.play(spec.scaleSetId, () => Promise.resolve());

    const successor = await successorOf(spec, provisioner, records);

    expect(successor && (await command(provisioner, successor))).toBe('created');
    const plan = await bench.planOf(spec);
    const failed = records.map(({ runnerId }) => runnerId);
    expect(plan.runners.filter(({ runnerId }) => failed.includes(runnerId))).toEqual([]);
  });

  test('costs the scale sets of another provider nothing', async () => {
    const [broken, working] = [new PlayingProvider(), new PlayingProvider()];
    const provisioner = await bench.provisioner(broken, { others: { working } });
    const stuck = await bench.register('stuck');
    const well = await bench.register('well', { provider: 'working' });
    broken.play(stuck.scaleSetId, hangs);
    await bench.demand(stuck, { assigned: 6 });
    await provisioner.planner.reconcile(stuck.scaleSetId);
    const creating = (await bench.runnersOf(stuck)).map((runner) => command(provisioner, runner));
    await eventually(() => expect(broken.asked).toHaveLength(6));

    const record = await bench.requested(well, provisioner);
    const result = await command(provisioner, record);
    await bench.clock.advance(provisioner.createTimeoutMs);
    await Promise.all(creating);

    expect(result).toBe('created');
    expect(await capacityOf(provisioner, stuck)).toMatchObject({
      problem: 'provider "local" fails: timeout: create instance took longer than 60000 ms',
    });
    expect(await capacityOf(provisioner, well)).toHaveProperty('free');
  });

  test('for one scale set only is used by the others, which shows that it works', async () => {
    const { spec, provider, provisioner, records } = await aSet('one-image', 5);
    provider.play(spec.scaleSetId, failsAtOnce);
    for (const record of records) await command(provisioner, record);
    const neighbour = await bench.register('other-image');

    const record = await bench.requested(neighbour, provisioner);

    expect(await command(provisioner, record)).toBe('created');
    expect(await capacityOf(provisioner, spec)).toHaveProperty('free');
  });

  test.each(['image', 'invalid-settings', 'quota'] as const)(
    'because of what one scale set asks for (%s) is not held to be broken',
    async (kind) => {
      const { spec, provider, provisioner, records } = await aSet(`own-${kind}`, 7);
      const refusal = new ProviderError(kind, 'not so');
      provider.play(spec.scaleSetId, () => Promise.reject(refusal));

      for (const record of records) await command(provisioner, record);

      expect(provider.asked).toHaveLength(7);
      expect(await capacityOf(provisioner, spec)).toHaveProperty('free');
      expect(await bench.runner(spec, records[0]?.runnerId ?? '')).toMatchObject({
        failure: { class: kind, text: 'not so' },
        // A quota may be told of after the instance was made.
        mark: { gate: kind === 'quota' ? 'github' : 'none' },
      });
    },
  );

  test('to be asked has creates wait, without a claim', async () => {
    const { spec, provider, provisioner, record } = await aSet('unasked');
    provider.problem = 'no connection';
    await bench.clock.advance(1_000);

    const result = await command(provisioner, record);

    expect(result).toBe('held-back');
    expect(provider.asked).toEqual([]);
    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      state: 'requested',
      retryAt: inMs(3_750),
      postponed: { count: 1, reason: 'transient: no connection' },
    });
  });
});

describe('a provider without room', () => {
  test('has creates wait in their records, longer each time, and takes them when there is room', async () => {
    const { spec, provider, provisioner, record } = await aSet('no-room-left');
    provider.free = 0;
    await bench.clock.advance(1_000);
    const waits: (string | undefined)[] = [];
    const expected: string[] = [];

    for (const waitMs of [750, 1_250, 2_250]) {
      expect(await command(provisioner, record)).toBe('held-back');
      waits.push((await bench.runner(spec, record.runnerId))?.retryAt);
      expected.push(inMs(waitMs));
      await bench.clock.advance(waitMs + 1);
    }
    provider.free = 1;
    await bench.clock.advance(1_000);

    expect(waits).toEqual(expected);
    expect(await registeredNames('no-room-left')).toEqual([]);
    expect(await command(provisioner, record)).toBe('created');
  });

  test('leaves a runner alone that another provisioner has claimed in the meantime', async () => {
    const { spec, provider, provisioner, record } = await aSet('claimed-meanwhile');
    const { holder: creator, ...other } = await bench.provisioner(new PlayingProvider());
    provider.free = 0;
    await bench.clock.advance(1_000);
    const claimed = await observeRunner(other, record, { kind: 'creating', creator });

    await command(provisioner, record);

    expect(claimed?.moved).toBe(true);
    expect(await bench.runner(spec, record.runnerId)).toEqual(claimed?.runner);
  });

  test('is not asked for more at once than it has', async () => {
    const { provider, provisioner, records } = await aSet('little-room', 6);
    provider.free = 2;
    await bench.clock.advance(1_000);

    const results = await Promise.all(records.map((record) => command(provisioner, record)));

    expect(results.filter((result) => result === 'created')).toHaveLength(2);
    expect(provider.asked).toHaveLength(2);
  });
});
