import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { scaleSetIdOf } from '@baton/shared/contracts';
import { systemClock } from '@baton/shared/time';
import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import {
  declare,
  expectAtLeast,
  type Fleet,
  killServices,
  restartServices,
  startFleet,
  tally,
} from './losses-fixture.ts';
import { killInstance, records } from './stack-fixture.ts';

const patient = { timeoutMs: 90_000, everyMs: 100 };
const warm = 40;

/** Each with runners in another part of their lives: more than two hundred in all. */
const scaleSets = [
  { name: 'warm', minRunners: warm, maxRunners: warm },
  { name: 'long', maxRunners: 80 },
  { name: 'slow', maxRunners: 20 },
  { name: 'short', maxRunners: 25 },
  { name: 'late', maxRunners: 5 },
  { name: 'burst', maxRunners: 70 },
];
const jobs = { long: 80, slow: 20, short: 25, late: 5, burst: 70 };
const allJobs = Object.values(jobs).reduce((sum, count) => sum + count);

test('all services are killed with two hundred runners in all states, then NATS with them, and what is wanted comes back', async () => {
  await using fleet = await startFleet({
    services: { listener: 2, provisioner: 2, janitor: 2 },
    github: { kind: 'simulator', args: ['--runner-offline-ms', '15000'] },
    maxInstances: 260,
    envOf: { janitor: { BATON_DELETE_CONCURRENCY: '4' } },
  });
  const { stack, sim } = fleet;
  await declare(fleet, scaleSets);
  await untilAllStates(fleet);

  await killServices(stack);
  const gone = await loseRunners(fleet);
  await sim.clearFaults('generateJitConfig');
  await delay(fleet, 'removeRunner', 1_000);
  await systemClock.sleep(2_000);
  restartServices(stack);
  await eventually(async () => expectAtLeast(await states(fleet), { deleting: 5 }), patient);
  await Promise.all([killServices(stack), stack.killNats()]);
  await sim.clearFaults();
  await stack.restartNats();
  restartServices(stack);

  await eventually(() => expectAsWanted(fleet, gone), patient);
  await systemClock.sleep(10_000);
  await expectAsWanted(fleet, gone);
}, 240_000);

/** Every state lasts for some seconds when this resolves: GitHub is slow, and few are deleted at once. */
async function untilAllStates(fleet: Fleet): Promise<void> {
  const { sim } = fleet;
  await sim.play('slow', { runner: { connectDelayMs: 40_000 } });
  await sim.addJobs({ scaleSet: 'long', count: jobs.long, durationMs: 60_000 });
  await sim.addJobs({ scaleSet: 'slow', count: jobs.slow, durationMs: 100 });
  const first = { idle: warm, busy: jobs.long, starting: jobs.slow };
  await eventually(async () => expectAtLeast(await states(fleet), first), patient);
  await delay(fleet, 'removeRunner', 10_000);
  await sim.addJobs({ scaleSet: 'short', count: jobs.short, durationMs: 100 });
  await eventually(async () => expectAtLeast(await states(fleet), { deleting: 8 }), patient);
  await sim.addJobs({ scaleSet: 'late', count: jobs.late, durationMs: 100, lingerMs: 10_000 });
  await eventually(async () => expectAtLeast(await states(fleet), { completed: 1 }), patient);
  await delay(fleet, 'generateJitConfig', 10_000);
  await sim.addJobs({ scaleSet: 'burst', count: jobs.burst, durationMs: 100 });
  const more = { requested: 1, creating: 10, completed: 1, marked: 1, deleting: 8 };
  await eventually(async () => {
    const all = await states(fleet);
    expectAtLeast(all, { ...first, ...more });
    expect(all.length).toBeGreaterThanOrEqual(200);
  }, patient);
}

async function delay({ sim }: Fleet, route: 'removeRunner' | 'generateJitConfig', ms: number) {
  await sim.addFault({ id: route, route, action: { kind: 'delay', ms } });
}

async function states({ stack }: Fleet) {
  return (await records(stack)).map(({ state }) => state);
}

/** Of idle runners and of busy ones one is killed, and one goes with all that its host knew of it. */
async function loseRunners({ stack, sim }: Fleet) {
  const { runners } = await sim.state();
  const ids = new Map((await stack.instances()).map((one) => [one.runnerName, one.runnerId]));
  const two = (scaleSet: string) => runners.filter((one) => one.scaleSet === scaleSet).slice(0, 2);
  const lost = [...two('warm'), ...two('long')];
  for (const [index, { name }] of lost.entries()) {
    const id = ids.get(name) ?? '';
    await killInstance(stack, id);
    if (index % 2 === 1) await rm(join(stack.dir, 'instances', 'local', id), { recursive: true });
  }
  return { runners: lost.map(({ name }) => name), jobs: lost.flatMap(({ jobId }) => jobId ?? []) };
}

type Gone = Awaited<ReturnType<typeof loseRunners>>;

/** By the books of GitHub and of the provider: all jobs are done, by one runner each, and the warm ones wait. */
async function expectAsWanted({ stack, sim }: Fleet, gone: Gone): Promise<void> {
  const [books, all, instances] = await Promise.all([sim.books(), sim.jobs(), stack.instances()]);
  const failed = all.filter(({ status }) => status === 'failed').map(({ id }) => id);
  expect(failed.sort()).toEqual([...gone.jobs].sort());
  expect(books.jobs.completed).toBe(allJobs - failed.length);
  expect(tally(instances.map(({ scaleSetId }) => scaleSetId))).toEqual({
    [scaleSetIdOf('warm')]: warm,
  });
  expect(tally(instances.map(({ state }) => state))).toEqual({ running: warm });
  const names = instances.map(({ runnerName }) => runnerName);
  expect([...books.registrations].sort()).toEqual([...names].sort());
  const known = new Set([...names, ...gone.runners]);
  const tooMany = books.unusedRunners.filter(({ name }) => !known.has(name));
  // The place of a busy runner that was killed is free before GitHub takes its job out of the demand.
  expect(tooMany.length).toBeLessThanOrEqual(gone.jobs.length);
  expect(tooMany.filter(({ scaleSet }) => scaleSet !== 'long')).toEqual([]);
}
