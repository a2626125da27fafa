import { scaleSetIdOf } from '@baton/shared/contracts';
import { systemClock } from '@baton/shared/time';
import type { LocalStack } from '@baton/stack';
import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import {
  declare,
  type Fleet,
  frequentSweeps,
  killServices,
  restartServices,
  startFleet,
  tally,
} from './losses-fixture.ts';

const patient = { timeoutMs: 120_000, everyMs: 200 };
const services = { listener: 1, provisioner: 1, janitor: 1 };
const envOf = { janitor: frequentSweeps };
const warm = 3;

/** Longer than any sweep waits before it acts on what nobody seems to know. */
const sweptMs = 75_000;

test('two installations with the same names, provider and GitHub scope leave each other alone', async () => {
  await using fleet = await startFleet({
    services,
    envOf,
    github: {
      kind: 'simulator',
      args: ['--runner-groups', 'other', '--session-expiry-ms', '8000'],
    },
  });
  await using other = await fleet.beside({ services, envOf, installationId: 'other' });
  const { stack, sim } = fleet;
  await declare(fleet, [{ name: 'linux', minRunners: warm, maxRunners: 8 }]);

  // The same scale set of GitHub belongs to whoever made it.
  await other.applyScaleSets([{ name: 'linux', maxRunners: 8 }]);
  await eventually(async () => {
    expect(await other.baton('get', 'scalesets')).toContain('was not created by this installation');
  }, patient);
  const ofOther = [
    { name: 'linux', group: 'other', labels: ['other'], minRunners: warm, maxRunners: 8 },
  ];
  await other.applyScaleSets(ofOther);
  await eventually(async () => expect((await sim.state()).pollsHeld).toBe(2), patient);
  await sim.addJobs({ labels: ['other'], count: 3, durationMs: 110_000 });
  await sim.addJobs({ scaleSet: 'linux', count: 3, durationMs: 110_000 });
  await eventually(async () => expect((await sim.state()).jobs.running).toBe(6), patient);
  await untilWarm(stack);
  await untilWarm(other);
  const theirs = await namesOf(other);
  const ours = await namesOf(stack);

  // One has lost all that it knew, and all services of the other are dead: their runners are nobody's.
  await killServices(other);
  await stack.replaceNatsStore();
  await stack.baton('topology', 'apply');
  await stack.applyScaleSets([{ name: 'linux', minRunners: warm, maxRunners: 8, adopt: true }]);
  await systemClock.sleep(sweptMs);
  expect(await namesOf(other)).toEqual(theirs);
  expect(await namesOf(stack)).toEqual(ours);
  expect(await registrations(fleet)).toEqual([...ours, ...theirs].sort());
  restartServices(other);

  await eventually(async () => expect((await sim.state()).jobs.completed).toBe(6), patient);
  await eventually(async () => {
    const [first, second] = [await namesOf(stack), await namesOf(other)];
    expect([first.length, second.length]).toEqual([warm, warm]);
    expect(await registrations(fleet)).toEqual([...first, ...second].sort());
  }, patient);
  const unused = (await sim.books()).unusedRunners.map(({ name }) => name).sort();
  expect(unused).toEqual(await registrations(fleet));
}, 240_000);

/** Three idle ones besides the three that work. */
async function untilWarm(stack: LocalStack): Promise<void> {
  const counts = { [scaleSetIdOf('linux')]: 2 * warm };
  await eventually(async () => {
    const instances = await stack.instances();
    expect(tally(instances.map(({ scaleSetId }) => scaleSetId))).toEqual(counts);
  }, patient);
}

async function namesOf(stack: LocalStack): Promise<string[]> {
  return (await stack.instances()).map(({ runnerName }) => runnerName).sort();
}

async function registrations({ sim }: Fleet): Promise<string[]> {
  return [...(await sim.books()).registrations].sort();
}
