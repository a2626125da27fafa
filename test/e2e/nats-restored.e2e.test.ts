import { join } from 'node:path';
import { scaleSetIdOf } from '@baton/shared/contracts';
import { openSessions } from '@baton/shared/stores';
import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import {
  declare,
  expectAtLeast,
  type Fleet,
  frequentSweeps,
  startFleet,
  untilCompleted,
} from './losses-fixture.ts';
import { connectAsCli, records } from './stack-fixture.ts';

const patient = { timeoutMs: 120_000, everyMs: 200 };
const warm = 3;
const longMs = 120_000;

test('an old copy of the store of NATS is restored under twenty busy runners: none dies, and nothing is left', async () => {
  await using fleet = await startFleet({
    services: { listener: 2, provisioner: 2, janitor: 2 },
    envOf: {
      provisioner: { BATON_CREATE_CONCURRENCY_PER_SCALE_SET: '3' },
      janitor: { ...frequentSweeps, BATON_DELETE_CONCURRENCY: '2' },
    },
  });
  const { stack, sim } = fleet;
  await declare(fleet, [
    // A runner that is taken for one that never came online would go while the test looks.
    { name: 'linux', maxRunners: 40, bootstrapTimeoutSeconds: 20 },
    { name: 'warm', minRunners: warm, maxRunners: warm },
  ]);
  const { ending, staying } = await untilAllStates(fleet);
  const copy = join(stack.dir, 'copy');
  await stack.copyNatsStore(copy);
  const old = (await records(stack)).map(({ name }) => name);
  await sim.clearFaults();

  // The world goes on: of the runners in the copy half are gone, the others have jobs, as ten new ones have.
  await untilCompleted(fleet, ending);
  const newcomers = await sim.addJobs({ scaleSet: 'linux', count: 10, durationMs: longMs });
  await eventually(async () => expect((await sim.state()).jobs.running).toBe(20), patient);
  await eventually(async () => expect(await stack.instances()).toHaveLength(20 + warm), patient);
  const living = (await stack.instances()).map(({ runnerName }) => runnerName);
  expect(living.filter((name) => old.includes(name))).toHaveLength(10 + warm);
  const epoch = await epochOf(fleet, 'linux');
  await stack.replaceNatsStore(copy);

  await eventually(async () => {
    const busy = (await records(stack)).filter(({ state }) => state === 'busy');
    const known = busy.map(({ name }) => name);
    expect((await busyAtGitHub(fleet)).filter((name) => !known.includes(name))).toEqual([]);
  }, patient);
  expect(await epochOf(fleet, 'linux')).toBeGreaterThan(epoch);
  await untilCompleted(fleet, [...staying, ...newcomers]);
  await eventually(async () => {
    const names = (await stack.instances()).map(({ runnerName }) => runnerName).sort();
    expect(names).toEqual(living.filter((name) => name.startsWith('warm')).sort());
    const books = await sim.books();
    expect([...books.registrations].sort()).toEqual(names);
    expect(books.unusedRunners.map(({ name }) => name).sort()).toEqual(names);
    expect(books).toMatchObject({ lostJobs: 0, jobs: { completed: 36 } });
    expect((await records(stack)).map(({ name }) => name).sort()).toEqual(names);
  }, patient);
}, 300_000);

/** Runners in all states that last, of which those that are not yet there get the jobs that stay. */
async function untilAllStates({ stack, sim }: Fleet) {
  const states = async () => (await records(stack)).map(({ state }) => state);
  const add = (count: number, durationMs: number) =>
    sim.addJobs({ scaleSet: 'linux', count, durationMs });
  const running = await add(8, 45_000);
  await eventually(async () => expectAtLeast(await states(), { idle: warm, busy: 8 }), patient);
  await sim.addFault({ route: 'removeRunner', action: { kind: 'delay', ms: 12_000 } });
  const ended = await add(8, 100);
  await untilCompleted({ sim }, ended);
  await eventually(async () => expectAtLeast(await states(), { deleting: 2 }), patient);
  await sim.addFault({ route: 'generateJitConfig', action: { kind: 'delay', ms: 5_000 } });
  const staying = await add(10, longMs);
  await eventually(async () => {
    const wanted = { requested: 3, creating: 5, idle: warm, busy: 8, deleting: 2 };
    expectAtLeast(await states(), wanted);
  }, patient);
  return { ending: [...running, ...ended], staying };
}

async function epochOf({ stack }: Fleet, scaleSet: string): Promise<number> {
  await using nats = await connectAsCli(stack);
  const record = await (await openSessions(nats)).get(scaleSetIdOf(scaleSet));
  return record?.value.epoch ?? 0;
}

async function busyAtGitHub({ sim }: Fleet): Promise<string[]> {
  const { runners } = await sim.state();
  const busy = runners.filter(({ status }) => status === 'busy').map(({ name }) => name);
  expect(busy).toHaveLength(20);
  return busy;
}
