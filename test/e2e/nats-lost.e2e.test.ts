import { scaleSetIdOf } from '@baton/shared/contracts';
import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import {
  declare,
  type Fleet,
  frequentSweeps,
  startFleet,
  tally,
  untilCompleted,
} from './losses-fixture.ts';
import { records } from './stack-fixture.ts';

const patient = { timeoutMs: 120_000, everyMs: 200 };
const warm = 3;
const scaleSets = [
  { name: 'linux', maxRunners: 40 },
  { name: 'warm', minRunners: warm, maxRunners: 5 },
];

test('NATS is wiped under twenty busy runners: all are adopted, none dies, and none is made twice', async () => {
  await using fleet = await startFleet({
    services: { listener: 2, provisioner: 2, janitor: 2 },
    // GitHub frees the sessions that nobody remembers; in truth that takes a minute or more.
    github: { kind: 'simulator', args: ['--session-expiry-ms', '8000'] },
    envOf: { janitor: frequentSweeps },
  });
  const { stack, sim } = fleet;
  await declare(fleet, scaleSets);
  const long = await sim.addJobs({ scaleSet: 'linux', count: 15, durationMs: 100_000 });
  const short = await sim.addJobs({ scaleSet: 'linux', count: 5, durationMs: 30_000 });
  await eventually(async () => expect((await sim.state()).jobs.running).toBe(20), patient);
  await eventually(async () => expect((await sim.books()).runnersOnline).toBe(20 + warm), patient);
  const before = await stack.instances();

  await stack.replaceNatsStore();
  await stack.baton('topology', 'apply');
  await stack.applyScaleSets(scaleSets);
  await eventually(async () => expect(await reasons(fleet)).toMatch(/(adopt: true.*){2}/), patient);
  await stack.applyScaleSets(scaleSets.map((one) => ({ ...one, adopt: true })));
  await eventually(async () => expect((await sim.state()).pollsHeld).toBe(2), patient);

  // Whoever waits for a runner does not wait for the adoption.
  const later = await sim.addJobs({ scaleSet: 'linux', count: 3, durationMs: 100 });
  await untilCompleted(fleet, [...short, ...later]);
  expect((await records(stack)).filter(({ adopted }) => adopted)).toEqual([]);
  await eventually(
    async () => expect(await adopted(fleet)).toEqual({ busy: 15, idle: warm }),
    patient,
  );
  await untilCompleted(fleet, long);
  await eventually(async () => expect(await stack.instances()).toHaveLength(warm), patient);

  const ofWarm = before.filter(({ scaleSetId }) => scaleSetId === scaleSetIdOf('warm'));
  const names = ofWarm.map(({ runnerName }) => runnerName).sort();
  expect((await stack.instances()).map(({ runnerName }) => runnerName).sort()).toEqual(names);
  const books = await sim.books();
  expect([...books.registrations].sort()).toEqual(names);
  expect(books.unusedRunners.map(({ name }) => name).sort()).toEqual(names);
  expect(books).toMatchObject({ lostJobs: 0, jobs: { completed: 23, failed: 0 } });
  await eventually(async () => {
    expect((await records(stack)).map(({ name }) => name).sort()).toEqual(names);
  }, patient);
}, 240_000);

/** What the operator is told, in one line. */
async function reasons({ stack }: Fleet): Promise<string> {
  return (await stack.baton('get', 'scalesets')).replaceAll('\n', ' ');
}

/** Runners whose records were made anew, by what they do. */
async function adopted({ stack }: Fleet) {
  return tally((await records(stack)).flatMap(({ adopted, state }) => (adopted ? state : [])));
}
