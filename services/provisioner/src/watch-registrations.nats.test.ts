import { type Runner, runnerKey, type Spec } from '@baton/shared/contracts';
import { aPlan, aRunner, eventually } from '@baton/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createRunner } from './create-runner.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { RegistrationWatch } from './watch-registrations.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
/** A look is about all scale sets: those of the tests before would be part of it. */
afterEach(async () => {
  await bench.sim.control.clearFaults();
  await bench.sim.control.setRegistry({ bareRunners: false });
  for (const key of await bench.stores.specs.keys()) {
    const entry = key.startsWith('_') ? undefined : await bench.stores.specs.get(key);
    if (entry) await bench.stores.specs.delete(key, entry.revision);
  }
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();

function watchOf(provisioner: Provisioner): RegistrationWatch {
  return new RegistrationWatch(provisioner);
}

/** A runner that GitHub lists as online and whose record says that it is starting. */
async function anOnlineRunner(name: string, bootstrapTimeoutSeconds = 1_200) {
  const spec = await bench.register(name, { bootstrapTimeoutSeconds });
  const provisioner = await bench.provisioner(await bench.processes(name));
  const record = await bench.requested(spec, provisioner);
  await createRunner(provisioner, record, signal);
  await eventually(async () => expect(await statusAtGitHub(record)).toBe('idle'));
  const read = async () => await bench.runner(spec, record.runnerId);
  return { spec, record, provisioner, watch: watchOf(provisioner), read };
}

/** A record with a place, of a runner that GitHub has registered and that nobody has started. */
async function aRegisteredRunner(spec: Spec, runnerId: string, part: Partial<Runner> = {}) {
  const { scaleSetId, declaration } = spec;
  const stateAt = new Date(bench.clock.now()).toISOString();
  const runner = aRunner({ scaleSetId, runnerId, createdAt: stateAt, stateAt, ...part });
  const named = { ...runner, name: `${declaration.name}-${runner.name}`, githubRunnerId: 7 };
  await bench.jitConfig(spec, named.name);
  await bench.demand(spec, { assigned: 1 });
  await bench.stores.plans.put(scaleSetId, aPlan({ scaleSetId, alive: [runnerId] }));
  await bench.stores.runners.put(runnerKey(scaleSetId, runnerId), named);
  return named;
}

async function statusAtGitHub({ name }: Runner): Promise<string | undefined> {
  const { runners } = await bench.sim.control.state();
  return runners.find((runner) => runner.name === name)?.status;
}

async function listsRead(): Promise<number> {
  const faults = (await bench.sim.control.state()).faults;
  return faults.find(({ id }) => id === 'count')?.seen ?? 0;
}

/** Counts how often the list is read from now on, and spoils nothing. */
async function countLists(): Promise<void> {
  await bench.sim.control.addFault({
    id: 'count',
    route: 'listRunners',
    action: { kind: 'delay', ms: 0 },
  });
}

describe("GitHub's list of runners", () => {
  test('tells who is online, when a runner has been starting for 5 s', async () => {
    const { read, watch, spec } = await anOnlineRunner('online');
    await watch.look();

    expect(await read()).toMatchObject({ state: 'idle' });
    await eventually(async () => expect(await bench.events(spec)).toContain('runner.online'));
  });

  test('tells who is busy, although no message has come', async () => {
    const { spec, record, read, watch } = await anOnlineRunner('seen-busy');
    await watch.look();
    const before = await read();
    await bench.sim.control.addJobs({ scaleSet: 'seen-busy', durationMs: 60_000 });
    await bench.assignJobs(spec);
    await eventually(async () => expect(await statusAtGitHub(record)).toBe('busy'));

    await bench.clock.advance(60_001);
    await watch.look();

    expect(before).toMatchObject({ state: 'idle' });
    expect(await read()).toMatchObject({ state: 'busy' });
    expect(await read()).not.toHaveProperty('job');
  });

  test('says nothing with fields that it does not have', async () => {
    await bench.sim.control.setRegistry({ bareRunners: true });
    const { read, watch } = await anOnlineRunner('bare');

    for (const ms of [0, 30_000, 60_000]) {
      await bench.clock.advance(ms);
      await watch.look();
    }

    expect(await read()).toMatchObject({ state: 'starting' });
  });

  test('is read once for all scale sets of a scope, and rarely while none is starting', async () => {
    const { watch, provisioner } = await anOnlineRunner('slow-pace');
    const other = await bench.register('slow-pace-2');
    await aRegisteredRunner(other, 'pace2', { state: 'idle' });
    await watch.look();
    await countLists();

    await watch.look();
    await bench.clock.advance(59_999);
    await watch.look();
    const early = await listsRead();
    await bench.clock.advance(1);
    await watch.look();

    expect(early).toBe(0);
    expect(await listsRead()).toBe(1);
    await watchOf(provisioner).look();
    expect(await listsRead()).toBe(2);
  });

  test('is not read while no runner lives', async () => {
    await bench.register('nobody');
    await countLists();

    await watchOf(await bench.provisioner(await bench.processes('nobody'))).look();

    expect(await listsRead()).toBe(0);
  });

  test('that one credential cannot have keeps no other scope waiting', async () => {
    const broken = await bench.declare('a-nobodys', { credential: 'nobody-has-it' });
    await bench.stores.runners.put(
      runnerKey(broken.scaleSetId, 'brokenset'),
      aRunner({ scaleSetId: broken.scaleSetId, runnerId: 'brokenset', state: 'starting' }),
    );
    const { read, watch } = await anOnlineRunner('b-healthy');

    await watch.look();

    expect(await read()).toMatchObject({ state: 'idle' });
  });
});

describe('a runner that GitHub does not list any more', () => {
  test('is replaced after two lists 20 s apart, and its place is free', async () => {
    const { spec, read, watch } = await anOnlineRunner('dropped');
    await watch.look();
    await bench.clock.advance(60_000);
    await bench.sim.control.dropRegistrations({ scaleSet: 'dropped', told: false });
    await watch.look();
    await bench.clock.advance(19_999);
    await watch.look();
    const early = await read();
    await bench.clock.advance(1);

    await watch.look();

    expect(early).toMatchObject({ state: 'idle' });
    expect(await read()).toMatchObject({
      state: 'marked',
      mark: { reason: 'unregistered', gate: 'github', text: 'GitHub does not list it any more' },
    });
    const { runners } = await bench.planOf(spec);
    expect(runners).toHaveLength(1);
    expect(runners).not.toContainEqual(
      expect.objectContaining({ runnerId: (await read())?.runnerId }),
    );
    expect(await bench.commands('delete', spec)).toHaveLength(1);
  });

  test('stays while GitHub knows it when it is asked about it alone', async () => {
    const { read, watch } = await anOnlineRunner('cut-short');
    await watch.look();
    await bench.clock.advance(60_000);
    await bench.sim.control.addFault({
      route: 'listRunners',
      action: { kind: 'status', status: 200, body: '{"count":0,"value":[]}' },
    });

    for (let look = 0; look < 4; look += 1) {
      await watch.look();
      await bench.clock.advance(20_000);
    }

    expect(await read()).toMatchObject({ state: 'idle' });
  });

  test('stays while lists cannot be had or are empty only for a moment', async () => {
    const { read, watch } = await anOnlineRunner('moment');
    await watch.look();
    await bench.clock.advance(60_000);
    await bench.sim.control.addFault({
      route: 'listRunners',
      first: 1,
      action: { kind: 'status', status: 200, body: '{"count":0,"value":[]}' },
    });
    await watch.look();
    await bench.clock.advance(20_000);
    await bench.sim.control.addFault({
      route: 'listRunners',
      action: { kind: 'status', status: 404 },
    });
    await watch.look();
    await bench.clock.advance(20_000);
    await bench.sim.control.clearFaults();

    await watch.look();

    expect(await read()).toMatchObject({ state: 'idle' });
  });
});

describe('the registration deadline', () => {
  test('replaces a runner that did not come online, and says how far it had come', async () => {
    const spec = await bench.register('deadline', { bootstrapTimeoutSeconds: 10 });
    const provisioner = await bench.provisioner(await bench.processes('deadline'));
    const watch = watchOf(provisioner);
    const part = { state: 'starting', progress: 'no node has room' } as const;
    const { runnerId } = await aRegisteredRunner(spec, 'deadline', part);

    await bench.clock.advance(10_000);
    await watch.look();
    const before = await bench.runner(spec, runnerId);
    await bench.clock.advance(1);
    await watch.look();
    await watch.look();

    expect(before?.state).toBe('starting');
    expect(await bench.runner(spec, runnerId)).toMatchObject({
      state: 'marked',
      mark: {
        reason: 'registration-deadline',
        gate: 'github',
        text: 'it did not come online within 10 s: no node has room',
      },
    });
    expect(await bench.commands('delete', spec)).toEqual([runnerId]);
    // Not at once: a runner that does not come online is a reason to go slow.
    await bench.clock.advance(10_000);
    await provisioner.planner.reconcile(spec.scaleSetId);
    const { runners } = await bench.planOf(spec);
    expect(runners).toHaveLength(1);
    expect(runners).not.toContainEqual(expect.objectContaining({ runnerId }));
  });

  test('keeps a runner that came online while nobody looked until after it', async () => {
    const { spec, read, watch } = await anOnlineRunner('late-look', 10);

    await bench.clock.advance(10_001);
    await watch.look();

    expect(await read()).toMatchObject({ state: 'idle' });
    expect(await bench.commands('delete', spec)).toEqual([]);
  });

  test('condemns nobody while GitHub cannot be asked', async () => {
    const spec = await bench.register('outage', { bootstrapTimeoutSeconds: 10 });
    const watch = watchOf(await bench.provisioner(await bench.processes('outage')));
    const { runnerId } = await aRegisteredRunner(spec, 'outage', { state: 'starting' });
    await bench.sim.control.addFault({
      route: 'listRunners',
      action: { kind: 'status', status: 404 },
    });

    await bench.clock.advance(600_000);
    await watch.look();

    expect(await bench.runner(spec, runnerId)).toMatchObject({ state: 'starting' });
  });
});
