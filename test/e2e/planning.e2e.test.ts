import { systemClock } from '@baton/shared/time';
import type { LocalStack } from '@baton/stack';
import { eventually } from '@baton/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { heldPoll, simulator, startStack } from './stack-fixture.ts';

const patient = { timeoutMs: 60_000, everyMs: 200 };
const maxRunners = 5;
const ghosts = 15;

let stack: LocalStack;

beforeAll(async () => {
  stack = await startStack({ listener: 1, provisioner: 2, janitor: 1 });
  await stack.applyScaleSets([
    { name: 'uncounted', maxRunners: 3 },
    { name: 'capped', maxRunners },
    { name: 'ghosts', maxRunners: 25 },
    { name: 'mute', maxRunners: 3, bootstrapTimeoutSeconds: 10 },
    { name: 'late', maxRunners: 4, spareAfterSeconds: 3 },
  ]);
  await eventually(async () => {
    for (const name of ['uncounted', 'capped', 'ghosts', 'mute', 'late']) {
      expect(await heldPoll(stack, name)).toBe(true);
    }
  }, patient);
});
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
});

const viewSchema = z.array(
  z.looseObject({
    name: z.string(),
    conditions: z.array(z.looseObject({ type: z.string() })),
  }),
);

async function conditionsOf(scaleSet: string): Promise<string[]> {
  const views = viewSchema.parse(JSON.parse(await stack.baton('get', 'scalesets', '-o', 'json')));
  return views.find(({ name }) => name === scaleSet)?.conditions.map(({ type }) => type) ?? [];
}

async function runnersOf(scaleSet: string) {
  return (await simulator(stack).state()).runners.filter((runner) => runner.scaleSet === scaleSet);
}

async function finished(ids: readonly string[]): Promise<number> {
  const jobs = await simulator(stack).jobs();
  return jobs.filter(({ id, status }) => ids.includes(id) && status === 'completed').length;
}

test('a job that the statistics do not count is run all the same', async () => {
  await simulator(stack).play('uncounted', {
    statistics: { totalAssignedJobs: 0, totalRunningJobs: 0, totalRegisteredRunners: 0 },
  });

  const ids = await simulator(stack).addJobs({ scaleSet: 'uncounted', durationMs: 200 });

  await eventually(async () => expect(await finished(ids)).toBe(1), patient);
});

test('a hundred queued jobs never have more runners, or more assigned jobs, than maxRunners', async () => {
  const sim = simulator(stack);
  const ids = await sim.addJobs({ scaleSet: 'capped', count: 100, durationMs: 100 });
  const most = { runners: 0, assigned: 0, capacity: 0 };
  const look = async () => {
    const { scaleSets, runners } = await sim.state();
    const set = scaleSets.find(({ name }) => name === 'capped');
    const online = runners.filter(
      ({ scaleSet, status }) => scaleSet === 'capped' && status !== 'offline',
    );
    most.runners = Math.max(most.runners, online.length);
    most.assigned = Math.max(most.assigned, set?.statistics.totalAssignedJobs ?? 0);
    most.capacity = Math.max(most.capacity, set?.session?.heldCapacity ?? 0);
  };
  await eventually(
    async () => {
      await look();
      expect(await finished(ids)).toBeGreaterThanOrEqual(20);
    },
    { ...patient, everyMs: 20 },
  );
  const queued = (await sim.jobs()).filter(({ status }) => status === 'queued');
  for (const { id } of queued) await sim.cancelJob(id).catch(() => undefined);
  await eventually(async () => {
    await look();
    expect((await sim.state()).scaleSets.find(({ name }) => name === 'capped')).toMatchObject({
      statistics: { totalAssignedJobs: 0 },
    });
  }, patient);

  expect(most).toMatchObject({ assigned: maxRunners, capacity: maxRunners });
  expect(most.runners).toBeGreaterThan(0);
  expect(most.runners).toBeLessThanOrEqual(maxRunners);
});

test('jobs that GitHub counts and that do not exist are given runners once', async () => {
  const sim = simulator(stack);
  await sim.play('ghosts', { drift: { totalAssignedJobs: ghosts } });
  const [first = ''] = await sim.addJobs({ scaleSet: 'ghosts', durationMs: 100 });
  await eventually(async () => {
    expect(await finished([first])).toBe(1);
    const idle = (await runnersOf('ghosts')).filter(({ status }) => status === 'idle');
    expect(idle).toHaveLength(ghosts);
  }, patient);
  const before = (await sim.books()).runnersOnline;

  // GitHub removes them, as it does after minutes, and then has one real job more.
  await sim.dropRegistrations({ scaleSet: 'ghosts' });
  await eventually(async () => expect(await processesOf('ghosts')).toBe(0), patient);
  // What is told now was seen after these ends: clocks of services may differ by two seconds.
  await systemClock.sleep(3_000);
  const ids = await sim.addJobs({ scaleSet: 'ghosts', durationMs: 5_000 });

  await eventually(async () => expect(await finished(ids)).toBe(1), patient);
  expect(await conditionsOf('ghosts')).toContain('ghost-demand');
  expect((await sim.books()).runnersOnline - before).toBeLessThanOrEqual(2);

  await sim.play('ghosts', { drift: {} });
  const later = await sim.addJobs({ scaleSet: 'ghosts', count: 3, durationMs: 100 });
  await eventually(async () => {
    expect(await finished(later)).toBe(3);
    expect(await conditionsOf('ghosts')).not.toContain('ghost-demand');
  }, patient);
});

/** How many processes of runners live. */
async function processesOf(scaleSet: string): Promise<number> {
  const views = await stack.instances();
  return views.filter(
    ({ runnerName, state }) => runnerName.startsWith(`${scaleSet}-`) && state !== 'exited',
  ).length;
}

test('a scale set that is mute is told, and no more when something is delivered', async () => {
  const sim = simulator(stack);
  await sim.play('mute', {
    muted: true,
    statistics: { totalAssignedJobs: 3, totalBusyRunners: 3, totalRegisteredRunners: 0 },
  });
  await sim.evictSession('mute');

  await eventually(async () => expect(await conditionsOf('mute')).toContain('mute'), patient);

  await sim.play('mute', { muted: false, statistics: {} });
  const ids = await sim.addJobs({ scaleSet: 'mute', durationMs: 100 });
  await eventually(async () => {
    expect(await finished(ids)).toBe(1);
    expect(await conditionsOf('mute')).not.toContain('mute');
  }, patient);
});

test('a runner that registers too late is given one spare', async () => {
  const sim = simulator(stack);
  await sim.play('late', { runner: { mode: 'normal', exitCode: 0, connectDelayMs: 20_000 } });
  const made = new Set<string>();

  const ids = await sim.addJobs({ scaleSet: 'late', durationMs: 12_000 });
  await eventually(async () => {
    for (const { name } of await runnersOf('late')) made.add(name);
    expect(await finished(ids)).toBe(1);
  }, patient);

  expect(made.size).toBe(2);
});
