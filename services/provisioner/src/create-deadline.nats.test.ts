import type { CreateRequest } from '@baton/providers';
import { type Runner, runnerKey } from '@baton/shared/contracts';
import { isoNow } from '@baton/shared/time';
import { eventually } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRunner } from './create-runner.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { hangs, PlayingProvider } from './testing/playing-provider.ts';

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

describe('a create that ends after its deadline', () => {
  /** A provider that goes on after it was told to stop, until the test says so. */
  async function aDeafProvider(name: string) {
    const made = await aSet(name);
    const gate = Promise.withResolvers<undefined>();
    made.provider.play(made.spec.scaleSetId, async () => await gate.promise);
    const creating = command(made.provisioner, made.record);
    await eventually(() => expect(made.provider.asked).toHaveLength(1));
    await bench.clock.advance(made.provisioner.createTimeoutMs);
    await creating;
    return { ...made, end: () => gate.resolve(undefined) };
  }

  test('has its instance written into the record that is to be deleted', async () => {
    const { spec, record, end } = await aDeafProvider('late-and-marked');
    const failed = await bench.runner(spec, record.runnerId);

    end();

    await eventually(async () => {
      expect(await bench.runner(spec, record.runnerId)).toEqual({
        ...failed,
        instanceId: `i-${record.runnerId}`,
        instanceAt: isoNow(bench.clock),
      });
    });
    expect(failed).toMatchObject({ failure: { class: 'timeout' }, mark: { gate: 'github' } });
  });

  test('has its instance deleted when the janitor had already found none', async () => {
    const { spec, record, end } = await aDeafProvider('late-and-half-deleted');
    const { scaleSetId, runnerId } = record;
    const failed = await bench.runner(spec, runnerId);
    if (!failed) throw new Error('the runner is gone');
    const deletion = { attempts: 1, deregistered: false, instanceDeleted: true };
    await bench.stores.runners.put(runnerKey(scaleSetId, runnerId), { ...failed, deletion });

    end();

    await eventually(async () => {
      const { instanceId, ...now } = (await bench.runner(spec, runnerId)) ?? {};
      expect(instanceId).toBe(`i-${runnerId}`);
      expect(now).toMatchObject({ deletion: { instanceDeleted: false } });
    });
  });

  test.each([
    ['writes once more', 'late-and-written', (failed: Runner) => ({ ...failed, progress: 'x' })],
    ['has done', 'late-and-done', () => undefined],
  ])('is not forgotten when the janitor %s meanwhile', async (_what, name, change) => {
    const { spec, record, end, provisioner } = await aDeafProvider(name);
    const { runners } = bench.stores;
    const key = runnerKey(record.scaleSetId, record.runnerId);
    const failed = await bench.runner(spec, record.runnerId);
    if (!failed) throw new Error('the runner is gone');
    const deletion = { attempts: 1, deregistered: false, instanceDeleted: true };
    await runners.put(key, { ...failed, deletion });
    // The first write notes the instance, the second opens the deletion again: between the two.
    const update = provisioner.runners.update.bind(provisioner.runners);
    provisioner.runners.update = async (...write) => {
      const revision = await update(...write);
      if (revision === undefined) return revision;
      provisioner.runners.update = update;
      const get = provisioner.runners.get.bind(provisioner.runners);
      provisioner.runners.get = async (found) => {
        provisioner.runners.get = get;
        const entry = await get(found);
        const changed = entry && change(entry.value);
        if (changed) await runners.update(key, changed, entry.revision);
        else await runners.delete(key, entry?.revision ?? 0);
        return entry;
      };
      return revision;
    };

    end();

    await eventually(async () => {
      const now = await bench.runner(spec, record.runnerId);
      expect(now?.instanceId).toBe(`i-${record.runnerId}`);
      expect(now?.deletion?.instanceDeleted ?? false).toBe(false);
    });
  });

  test('brings its record back, marked, when that was gone', async () => {
    const { spec, record, end } = await aDeafProvider('late-and-gone');
    const key = runnerKey(record.scaleSetId, record.runnerId);
    const entry = await bench.stores.runners.get(key);
    await bench.stores.runners.delete(key, entry?.revision ?? 0);

    end();

    await eventually(async () => {
      expect(await bench.runner(spec, record.runnerId)).toMatchObject({
        state: 'marked',
        instanceId: `i-${record.runnerId}`,
        mark: { reason: 'create-failed', gate: 'github' },
      });
    });
    expect((await bench.planOf(spec)).runners).not.toContainEqual(
      expect.objectContaining({ runnerId: record.runnerId }),
    );
  });

  test('is adopted when the provider lists its instance and merely did not answer', async () => {
    const { spec, provider, provisioner, record } = await aSet('made-in-silence');
    const silent = new SilentProvider();
    const creating = command({ ...provisioner, providers: new Map([['local', silent]]) }, record);
    await eventually(() => expect(silent.asked).toHaveLength(1));

    await bench.clock.advance(provisioner.createTimeoutMs);
    await creating;

    expect(provider.asked).toEqual([]);
    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      state: 'starting',
      instanceId: `i-${record.runnerId}`,
    });
  });

  test('has the deadline that its provider sets, where it sets one', async () => {
    const { spec, provisioner, record } = await aSet('own-deadline');
    const slow = new SlowProvider();
    slow.play(spec.scaleSetId, hangs);
    const creating = command({ ...provisioner, providers: new Map([['local', slow]]) }, record);
    await eventually(() => expect(slow.asked).toHaveLength(1));

    await bench.clock.advance(slow.createTimeoutMs - 1);
    const before = await bench.runner(spec, record.runnerId);
    await bench.clock.advance(1);
    await creating;

    expect(before?.state).toBe('creating');
    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      failure: { text: `create instance took longer than ${slow.createTimeoutMs} ms` },
    });
  });
});

describe('a create whose runner was given up by another provisioner meanwhile', () => {
  async function underWay(name: string) {
    const made = await aSet(name);
    const gate = Promise.withResolvers<undefined>();
    made.provider.play(made.spec.scaleSetId, async () => await gate.promise);
    const creating = command(made.provisioner, made.record);
    await eventually(() => expect(made.provider.asked).toHaveLength(1));
    const key = runnerKey(made.spec.scaleSetId, made.record.runnerId);
    const entry = await bench.stores.runners.get(key);
    if (!entry) throw new Error('the runner has no record');
    const end = async () => {
      gate.resolve(undefined);
      await creating;
    };
    return { ...made, key, entry, end };
  }

  test('brings the record of its instance back, marked, when that was deleted', async () => {
    const { spec, record, key, entry, end } = await underWay('given-up-and-gone');
    await bench.stores.runners.delete(key, entry.revision);

    await end();

    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      state: 'marked',
      instanceId: `i-${record.runnerId}`,
      mark: { reason: 'create-failed', gate: 'github' },
    });
  });

  test('has its instance deleted when the janitor had already found none', async () => {
    const { spec, record, key, entry, end } = await underWay('given-up-and-half-deleted');
    const at = new Date(bench.clock.now()).toISOString();
    await bench.stores.runners.put(key, {
      ...entry.value,
      state: 'deleting',
      mark: { reason: 'create-failed', gate: 'github', by: 'test', at },
      deletion: { attempts: 0, deregistered: false, instanceDeleted: true },
    });

    await end();

    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      state: 'deleting',
      instanceId: `i-${record.runnerId}`,
      deletion: { instanceDeleted: false },
    });
  });
});

describe('the progress of a long create', () => {
  test('stands in the record, the first word at once, the latest every five seconds', async () => {
    const { spec, provider, provisioner, record } = await aSet('long');
    const gate = Promise.withResolvers<undefined>();
    let say: CreateRequest['progress'];
    provider.play(spec.scaleSetId, async ({ progress }) => {
      say = progress;
      await gate.promise;
    });
    const progressNow = async () => (await bench.runner(spec, record.runnerId))?.progress;
    const creating = command(provisioner, record);
    await eventually(() => expect(say).toBeDefined());

    say?.('pulling: 10 %');
    await eventually(async () => expect(await progressNow()).toBe('pulling: 10 %'));
    say?.('pulling: 20 %');
    say?.('pulling: 30 %');
    await bench.clock.advance(4_999);
    const early = await progressNow();
    await bench.clock.advance(1);
    await eventually(async () => expect(await progressNow()).toBe('pulling: 30 %'));
    gate.resolve(undefined);
    await creating;
    say?.('too late');
    await bench.clock.advance(10_000);

    expect(early).toBe('pulling: 10 %');
    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      state: 'starting',
      progress: 'pulling: 30 %',
    });
  });
});

/** Makes the instance, lists it, and never answers. */
class SilentProvider extends PlayingProvider {
  override async create(request: CreateRequest, within: AbortSignal) {
    await super.create(request, within);
    return await new Promise<never>(() => undefined);
  }
}

class SlowProvider extends PlayingProvider {
  readonly createTimeoutMs = 600_000;
}
