import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalStack } from '@baton/stack';
import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { heldPoll, instances, records, simulator, startStack } from './stack-fixture.ts';

const patient = { timeoutMs: 60_000, everyMs: 100 };
const services = { listener: 1, provisioner: 1, janitor: 1 };
const often = { BATON_PASS_EVERY_MS: '1000' };

async function isPolled(stack: LocalStack): Promise<void> {
  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
}

async function statusOf(stack: LocalStack, id: string): Promise<string | undefined> {
  return (await simulator(stack).jobs()).find((job) => job.id === id)?.status;
}

/** Resolves with the one runner that there is, in this state. */
async function theRunner(stack: LocalStack, state: string) {
  return await eventually(async () => {
    const all = await records(stack);
    expect(all).toMatchObject([{ state }]);
    return all[0];
  }, patient);
}

describe('an idle runner that takes a job while it is being retired', () => {
  test('stays, because GitHub does not let it go, and runs its job to the end', async () => {
    await using stack = await startStack(services, [], often);
    await stack.applyScaleSets([{ name: 'linux', minRunners: 1, maxRunners: 5 }]);
    await isPolled(stack);
    const runner = await theRunner(stack, 'idle');
    await simulator(stack).addFault({
      route: 'removeRunner',
      first: 1,
      action: { kind: 'delay', ms: 10_000 },
    });

    await stack.applyScaleSets([{ name: 'linux', minRunners: 0, maxRunners: 5 }]);
    await eventually(async () => {
      expect(await records(stack)).toMatchObject([{ mark: { reason: 'surplus', gate: 'github' } }]);
    }, patient);
    const job = { scaleSet: 'linux', durationMs: 25_000 };
    const [id = ''] = await simulator(stack).addJobs(job);
    await eventually(async () => expect(await statusOf(stack, id)).toBe('running'), patient);

    await eventually(async () => {
      const kept = (await records(stack)).find(({ name }) => name === runner?.name);
      expect(kept).toMatchObject({ state: 'busy', job: { jobId: id } });
      expect(kept).not.toHaveProperty('mark');
    }, patient);
    expect(await instances(stack)).toContain(runner?.runnerId);
    await eventually(async () => expect(await statusOf(stack, id)).toBe('completed'), patient);
    const done = (await simulator(stack).jobs())[0];
    expect(done).toMatchObject({ runnerName: runner?.name });
    await eventually(async () => expect(await instances(stack)).toEqual([]), patient);
    expect(await simulator(stack).books()).toMatchObject({ lostJobs: 0 });
  });
});

describe('a job that GitHub says is over while it still runs', () => {
  test('goes on beyond the grace, and its runner goes when it has ended', async () => {
    await using stack = await startStack(services, [], often);
    await stack.applyScaleSets([{ name: 'linux', maxRunners: 5 }]);
    await isPolled(stack);
    const job = { scaleSet: 'linux', durationMs: 60_000 };
    const [id = ''] = await simulator(stack).addJobs(job);
    await eventually(async () => expect(await statusOf(stack, id)).toBe('running'), patient);

    await simulator(stack).announceCompletion(id);
    const told = await theRunner(stack, 'completed');
    const refusals = async () => (await simulator(stack).books()).traffic.removeRunner?.calls ?? 0;
    await eventually(async () => expect(await refusals()).toBeGreaterThan(0), patient);

    expect(await statusOf(stack, id)).toBe('running');
    expect(await instances(stack)).toEqual([told?.runnerId]);
    await eventually(async () => expect(await statusOf(stack, id)).toBe('completed'), patient);
    await eventually(async () => expect(await instances(stack)).toEqual([]), patient);
    expect(await simulator(stack).books()).toMatchObject({ lostJobs: 0, runnersOnline: 1 });
  });
});

describe('a changed template', () => {
  test('is used by new runners, rotates idle ones, and neither polls nor jobs notice', async () => {
    await using stack = await startStack(services, [], often);
    await addProvider(stack, 'other');
    const templates = { old: 'processes', fresh: 'other' };
    const apply = async (provider: string) => await applyLinux(stack, provider);
    await apply(templates.old);
    await isPolled(stack);
    const ids = await simulator(stack).addJobs({
      scaleSet: 'linux',
      count: 3,
      durationMs: 15_000,
    });
    await eventually(async () => {
      expect((await simulator(stack).books()).jobs).toMatchObject({ running: 3 });
    }, patient);
    const old = new Set((await records(stack)).map(({ name }) => name));
    const before = (await simulator(stack).journal()).at(-1)?.number ?? 0;
    const queued = await simulator(stack).addJobs({
      scaleSet: 'linux',
      count: 2,
      durationMs: 1_000,
    });

    await apply(templates.fresh);

    await eventually(async () => {
      for (const id of [...ids, ...queued]) expect(await statusOf(stack, id)).toBe('completed');
    }, patient);
    const jobs = await simulator(stack).jobs();
    const ranOn = (id: string) => jobs.find((job) => job.id === id)?.runnerName ?? '';
    expect(ids.filter((id) => !old.has(ranOn(id)))).toEqual([]);
    expect(queued.filter((id) => old.has(ranOn(id)))).toEqual([]);
    await eventually(async () => {
      const idle = (await records(stack)).filter(({ state }) => state === 'idle');
      expect(idle).toMatchObject([{ provider: templates.fresh }]);
      expect(await instances(stack)).toEqual([idle[0]?.runnerId]);
    }, patient);

    await apply(templates.old);

    await eventually(async () => {
      expect(await records(stack)).toMatchObject([{ state: 'idle', provider: templates.old }]);
    }, patient);
    await noSessionWasTouched(stack, before);
    expect(await simulator(stack).books()).toMatchObject({ lostJobs: 0, sessionsCreated: 1 });
  });
});

/** One idle runner, three at the most, from a template that this provider is part of. */
async function applyLinux(stack: LocalStack, provider: string): Promise<void> {
  const file = join(stack.dir, 'linux.yaml');
  const scaleSet = { name: 'linux', minRunners: 1, maxRunners: 3, credential: 'github', provider };
  const scaleSets = [{ ...scaleSet, configUrl: stack.configUrl }];
  await writeFile(file, JSON.stringify({ scaleSets }));
  await stack.baton('apply', '-f', file);
}

/** The services know the stack's provider under another name too. */
async function addProvider(stack: LocalStack, name: string): Promise<void> {
  const file = join(stack.dir, 'providers.yaml');
  const [, entry = ''] = (await readFile(file, 'utf8')).split('providers:\n');
  const other = entry.replace('processes:', `${name}:`);
  await writeFile(file, `providers:\n${entry}${other}`);
  for (const instance of ['provisioner-0', 'janitor-0']) {
    const service = stack.service(instance);
    await service.stop();
    service.restart();
    await service.ready(AbortSignal.timeout(30_000));
  }
}

/** Behind this entry of the journal: polls follow each other within a second, in one session. */
async function noSessionWasTouched(stack: LocalStack, after: number): Promise<void> {
  const entries = (await simulator(stack).journal()).filter(({ number }) => number > after);
  const of = (...events: string[]) => entries.filter(({ event }) => events.includes(event));
  expect(of('asked', 'opened', 'conflict', 'spoiled')).toEqual([]);
  const polls = of('held', 'ended');
  const gapsMs = polls.map(({ event, at }, index) =>
    event === 'ended' ? (polls[index + 1]?.at ?? at) - at : 0,
  );
  expect(polls.length).toBeGreaterThan(1);
  expect(Math.max(...gapsMs)).toBeLessThan(1_000);
}
