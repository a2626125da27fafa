import type { Runner } from '@baton/shared/contracts';
import { runnerIdOf } from '@baton/shared/contracts';
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
const exists = {
  kind: 'status',
  status: 409,
  body: JSON.stringify({ typeName: 'AgentExistsException', message: 'already exists' }),
} as const;

async function command(provisioner: Provisioner, { scaleSetId, runnerId }: Runner) {
  return await createRunner(provisioner, { v: 1, scaleSetId, runnerId }, signal);
}

async function aRequest(name: string) {
  const spec = await bench.register(name);
  const provisioner = await bench.provisioner(await bench.processes(name));
  return { spec, provisioner, record: await bench.requested(spec, provisioner) };
}

async function namesAtGitHub(scaleSet: string): Promise<string[]> {
  const { runners } = await bench.sim.control.state();
  return runners.filter((runner) => runner.scaleSet === scaleSet).map(({ name }) => name);
}

describe('a runner whose name is taken at GitHub', () => {
  test('gets another name, is still known by its id, and nothing is left of the first', async () => {
    const { spec, provisioner, record } = await aRequest('taken');
    await bench.jitConfig(spec, record.name);

    const result = await command(provisioner, record);

    const made = await bench.runner(spec, record.runnerId);
    expect(result).toBe('created');
    expect(made?.name).not.toBe(record.name);
    expect(runnerIdOf(made?.name ?? '', installationId)).toBe(record.runnerId);
    await eventually(async () => expect(await namesAtGitHub('taken')).toEqual([made?.name]));
    expect(await provisioner.provider.list(signal)).toMatchObject([{ runnerName: made?.name }]);
  });

  test('gets a name that its record has before GitHub is asked for it', async () => {
    const { spec, provisioner, record } = await aRequest('taken-and-slow');
    const scaleSet = 'taken-and-slow';
    await bench.sim.control.addFault({
      route: 'generateJitConfig',
      scaleSet,
      first: 1,
      action: exists,
    });
    const hang = { kind: 'delay', ms: 500 } as const;
    await bench.sim.control.addFault({ route: 'generateJitConfig', scaleSet, action: hang });
    const creating = command(provisioner, record);

    const renamed = await eventually(async () => {
      const runner = await bench.runner(spec, record.runnerId);
      expect(runner?.name).not.toBe(record.name);
      return { ...runner, atGitHub: await namesAtGitHub(scaleSet) };
    });
    await creating;

    expect(renamed).toMatchObject({ state: 'creating', atGitHub: [] });
    expect(await namesAtGitHub(scaleSet)).toEqual([renamed.name]);
  });

  test('three times over is given up, and its successor has yet another', async () => {
    const { spec, provisioner, record } = await aRequest('always-taken');
    const scaleSet = 'always-taken';
    await bench.sim.control.addFault({
      route: 'generateJitConfig',
      scaleSet,
      first: 3,
      action: exists,
    });

    await command(provisioner, record);
    await bench.clock.advance(60_000);
    await provisioner.planner.reconcile(spec.scaleSetId);
    const successor = (await bench.runnersOf(spec)).find(({ state }) => state === 'requested');

    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      state: 'marked',
      failure: { class: 'runner-exists' },
      mark: { gate: 'none' },
    });
    expect(successor?.runnerId).not.toBe(record.runnerId);
    expect(successor && (await command(provisioner, successor))).toBe('created');
  });

  test('by somebody who is online keeps that one, and goes on under another name', async () => {
    const { spec, provisioner, record } = await aRequest('online-namesake');
    const other = await bench.processes('online-namesake-other');
    const jitConfig = await bench.jitConfig(spec, record.name);
    const { name: runnerName, scaleSetId, generation } = record;
    const namesake = { runnerId: 'namesake', runnerName, scaleSetId, generation, installationId };
    await other.create({ ...namesake, jitConfig, settings: {} }, signal);
    await eventually(async () => {
      const { runners } = await bench.sim.control.state();
      expect(runners.find(({ name }) => name === record.name)?.status).toBe('idle');
    });

    await command(provisioner, record);

    const made = await bench.runner(spec, record.runnerId);
    expect(await namesAtGitHub('online-namesake')).toEqual([record.name, made?.name]);
  });
});

describe('an answer with a JIT config that is lost', () => {
  test('is asked for again under another name: nobody has the first', async () => {
    const { spec, provisioner, record } = await aRequest('lost-answer');
    const scaleSet = 'lost-answer';
    const lost = { kind: 'hang-after' } as const;
    await bench.sim.control.addFault({
      route: 'generateJitConfig',
      scaleSet,
      first: 1,
      action: lost,
    });
    const creating = command(provisioner, record);
    await eventually(async () => expect(await namesAtGitHub(scaleSet)).toEqual([record.name]));

    await bench.clock.advance(provisioner.jitTimeoutMs);
    const first = await creating;
    const postponed = await bench.runner(spec, record.runnerId);
    await bench.clock.advance(30_000);
    const second = await command(provisioner, record);

    const made = await bench.runner(spec, record.runnerId);
    expect([first, second]).toEqual(['held-back', 'created']);
    expect(postponed).toMatchObject({
      state: 'requested',
      postponed: { reason: expect.stringContaining('timeout: generate JIT config') as string },
    });
    expect(made?.name).not.toBe(record.name);
    expect(await namesAtGitHub(scaleSet)).toEqual([made?.name]);
  });
});

describe('a machine that is lost after it registered', () => {
  test('is replaced by one with another name: a JIT config works once', async () => {
    const { spec, provisioner, record } = await aRequest('lost-machine');
    await command(provisioner, record);
    await eventually(async () => {
      const { runners } = await bench.sim.control.state();
      expect(runners.find(({ name }) => name === record.name)?.status).toBe('idle');
    });

    await provisioner.provider.delete(record.runnerId, signal);
    const at = new Date(bench.clock.now()).toISOString();
    await observeRunner(provisioner, record, { kind: 'exited', code: undefined, at });
    await provisioner.planner.reconcile(spec.scaleSetId);
    await bench.clock.advance(60_000);
    await provisioner.planner.reconcile(spec.scaleSetId);
    const successor = (await bench.runnersOf(spec)).find(({ state }) => state === 'requested');

    expect(successor && (await command(provisioner, successor))).toBe('created');
    expect(successor?.name).not.toBe(record.name);
    expect(await bench.runner(spec, record.runnerId)).toMatchObject({ state: 'marked' });
    expect(await bench.commands('delete', spec)).toEqual([record.runnerId]);
  });
});
