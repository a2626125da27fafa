import type { ComputeProvider } from '@baton/providers';
import type { Runner, Spec } from '@baton/shared/contracts';
import { observeRunner } from '@baton/shared/runners';
import { eventually, installationId } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRunner } from './create-runner.ts';
import { Bench, type Provisioner } from './testing/bench.ts';

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

/** A registered scale set, its processes, a provisioner, and one runner that was asked for. */
async function aRequest(name: string) {
  const spec = await bench.register(name);
  const provider = await bench.processes(name);
  const provisioner = await bench.provisioner(provider);
  const record = await bench.requested(spec, provisioner);
  return { spec, provider, provisioner, record };
}

/** The runner names at GitHub. */
async function registrations(name: string): Promise<string[]> {
  const { runners } = await bench.sim.control.state();
  return runners.filter(({ scaleSet }) => scaleSet === name).map((runner) => runner.name);
}

/** Plays a creator that ended after its claim, or after it had made the instance. */
async function interruptedCreate(
  { spec, record, provider }: { spec: Spec; record: Runner; provider: ComputeProvider },
  creator: Provisioner,
  { withInstance }: { withInstance: boolean },
): Promise<void> {
  await observeRunner(creator, record, { kind: 'creating', creator: creator.holder });
  const jitConfig = await bench.jitConfig(spec, record.name);
  if (!withInstance) return;
  const { runnerId, name: runnerName, scaleSetId, generation } = record;
  const who = { runnerId, runnerName, scaleSetId, installationId, generation };
  await provider.create({ ...who, jitConfig, settings: {} }, signal);
}

/** A command that comes when enough time has passed for silence to mean something. */
async function lateCommand(provisioner: Provisioner, record: Runner) {
  await bench.clock.advance(6_000);
  return await overASilence(command(provisioner, record));
}

/** Lets the time between two probes pass while the work waits for it, if it does. */
async function overASilence<T>(work: Promise<T>): Promise<T> {
  let over = false;
  const ended = work.finally(() => {
    over = true;
  });
  await eventually(async () => {
    if (bench.clock.sleeping > 0) await bench.clock.advance(600);
    expect(over).toBe(true);
  });
  return await ended;
}

describe('createRunner', () => {
  test('starts an instance that registers at GitHub', async () => {
    const { spec, provider, provisioner, record } = await aRequest('straight');

    const outcome = await command(provisioner, record);

    expect(outcome).toBe('created');
    const [agent] = await bench.github().listRunners();
    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      state: 'starting',
      instanceId: record.runnerId,
      githubRunnerId: agent?.id,
      creator: provisioner.holder,
    });
    expect(await provider.list(signal)).toMatchObject([
      { runnerId: record.runnerId, runnerName: record.name, generation: 'g1' },
    ]);
    expect(await bench.events(spec)).toEqual(['runner.requested', 'runner.created']);
    await eventually(async () => {
      const { runners } = await bench.sim.control.state();
      expect(runners).toMatchObject([{ name: record.name, status: 'idle' }]);
    });
  });

  test.each(['one', 'two'])(
    'makes one instance for commands that %s provisioners get at once',
    async (count) => {
      const name = `at-once-${count}`;
      const { spec, provider, provisioner, record } = await aRequest(name);
      const second = count === 'two' ? await bench.provisioner(provider) : provisioner;

      const outcomes = await Promise.all([
        command(provisioner, record),
        command(second, record),
        command(provisioner, record),
      ]);
      const late = await command(second, record);

      expect(outcomes.toSorted()).toEqual(['created', 'nothing', 'nothing']);
      expect(late).toBe('nothing');
      expect(await provider.list(signal)).toHaveLength(1);
      expect(await registrations(name)).toEqual([record.name]);
      expect(await bench.runner(spec, record.runnerId)).toMatchObject({ state: 'starting' });
      expect(await bench.runnersOf(spec)).toHaveLength(1);
    },
  );

  test('leaves what it is creating to itself when the command comes again meanwhile', async () => {
    const { spec, provisioner, record } = await aRequest('slow-github');
    const delay = { kind: 'delay', ms: 300 } as const;
    const scaleSet = 'slow-github';
    await bench.sim.control.addFault({ route: 'generateJitConfig', scaleSet, action: delay });
    const first = command(provisioner, record);
    const alsoFirst = command(provisioner, record);
    await eventually(async () => {
      expect(await bench.runner(spec, record.runnerId)).toMatchObject({ state: 'creating' });
    });
    await alsoFirst;

    const again = await command(provisioner, record);

    expect(again).toBe('nothing');
    await first;
    expect(await bench.runner(spec, record.runnerId)).toMatchObject({ state: 'starting' });
  });

  test('makes no instance for a runner that was given up while GitHub was asked', async () => {
    const { spec, provider, provisioner, record } = await aRequest('frozen');
    const delay = { kind: 'delay', ms: 200 } as const;
    await bench.sim.control.addFault({
      route: 'generateJitConfig',
      scaleSet: 'frozen',
      action: delay,
    });
    const creating = command(provisioner, record);
    await eventually(async () => {
      expect(await bench.runner(spec, record.runnerId)).toMatchObject({ state: 'creating' });
    });

    const failure = { class: 'interrupted', text: 'given up' };
    await observeRunner(provisioner, record, { kind: 'failed', failure });
    await creating;

    expect(await provider.list(signal)).toEqual([]);
    expect(await bench.runner(spec, record.runnerId)).toMatchObject({ state: 'failed', failure });
  });

  test('does nothing for a runner or a scale set that is gone', async () => {
    const { spec, provider, provisioner, record } = await aRequest('gone');
    const unknown = { ...record, runnerId: 'unknown' };

    await bench.stores.specs.delete(
      spec.scaleSetId,
      (await bench.stores.specs.get(spec.scaleSetId))?.revision ?? 0,
    );

    expect(await command(provisioner, unknown)).toBe('nothing');
    expect(await command(provisioner, record)).toBe('nothing');
    expect(await provider.list(signal)).toEqual([]);
  });
});

describe('a runner whose creator died', () => {
  test('is adopted when its instance exists', async () => {
    const made = await aRequest('adopted');
    const { spec, provider, record } = made;
    const dead = await bench.provisioner(provider, { alive: false });
    const heir = await bench.provisioner(provider);
    await interruptedCreate(made, dead, { withInstance: true });

    await lateCommand(heir, record);

    const [agent] = (await bench.github().listRunners()).filter(({ name }) => name === record.name);
    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      state: 'starting',
      instanceId: record.runnerId,
      githubRunnerId: agent?.id,
    });
    expect(await provider.list(signal)).toHaveLength(1);
    expect(await bench.runnersOf(spec)).toHaveLength(1);
    expect(await bench.events(spec)).toEqual(['runner.requested', 'runner.created']);
  });

  test('is given up and replaced at once when it has no instance', async () => {
    const made = await aRequest('given-up');
    const { spec, provider, record } = made;
    const dead = await bench.provisioner(provider, { alive: false });
    const heir = await bench.provisioner(provider);
    await interruptedCreate(made, dead, { withInstance: false });

    await lateCommand(heir, record);

    const plan = await bench.planOf(spec);
    const [successor] = plan.runners;
    expect(plan.runners).toHaveLength(1);
    expect(successor?.runnerId).not.toBe(record.runnerId);
    expect(plan).not.toHaveProperty('backoff');
    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      failure: { class: 'interrupted' },
      mark: { reason: 'create-failed', gate: 'github' },
    });
    expect(await bench.commands('delete', spec)).toEqual([record.runnerId]);
    expect(await provider.list(signal)).toEqual([]);
  });

  test('is its own again when it died within a process that lives on', async () => {
    const made = await aRequest('same-process');
    const { spec, provisioner, record } = made;
    await interruptedCreate(made, provisioner, { withInstance: true });

    await command(provisioner, record);

    expect(await bench.runner(spec, record.runnerId)).toMatchObject({ state: 'starting' });
  });

  test('is not given up by one whose own connection has only just come up', async () => {
    const made = await aRequest('fresh-connection');
    const { spec, provider, record } = made;
    const silent = await bench.provisioner(provider, { alive: false });
    await interruptedCreate(made, silent, { withInstance: false });
    const fresh = await bench.provisioner(provider);

    await command(fresh, record);
    await bench.clock.advance(600);
    await command(fresh, record);

    expect(await bench.runner(spec, record.runnerId)).toMatchObject({ state: 'creating' });
  });

  test('is left to a creator that answers, however often the command comes', async () => {
    const made = await aRequest('living');
    const { spec, provider, record } = made;
    const living = await bench.provisioner(provider);
    const other = await bench.provisioner(provider);
    await interruptedCreate(made, living, { withInstance: false });

    await lateCommand(other, record);
    await command(other, record);

    expect(await bench.runner(spec, record.runnerId)).toMatchObject({ state: 'creating' });
  });

  test('is taken from a creator that answers and has been at it for two time-outs', async () => {
    const made = await aRequest('stuck');
    const { spec, provider, record } = made;
    const stuck = await bench.provisioner(provider);
    const other = await bench.provisioner(provider);
    await interruptedCreate(made, stuck, { withInstance: false });

    await bench.clock.advance(2 * other.createTimeoutMs + 1);
    await command(other, record);

    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      failure: { class: 'interrupted' },
    });
  });
});
