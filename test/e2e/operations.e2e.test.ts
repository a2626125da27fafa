import type { LocalStack } from '@baton/stack';
import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { heldPoll, instances, simulator, startStack, wipeSession } from './stack-fixture.ts';

const patient = { timeoutMs: 30_000, everyMs: 100 };

test('a scale set is disabled, enabled and deleted while its jobs run to their end', async () => {
  await using stack = await startStack({ listener: 1, provisioner: 1, janitor: 1 });
  await stack.applyScaleSets([{ name: 'linux', maxRunners: 3 }]);
  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
  const [jobId = ''] = await simulator(stack).addJobs({ scaleSet: 'linux', durationMs: 3_000 });
  await eventually(async () => expect(await jobStatus(stack, jobId)).toBe('running'), patient);

  await stack.baton('disable', 'linux');
  await eventually(async () => expect(await session(stack)).toBeNull(), patient);
  await stack.baton('enable', 'linux');
  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
  await stack.baton('delete', 'scaleset', 'linux', '--yes');

  expect(await jobStatus(stack, jobId)).toBe('completed');
  expect((await simulator(stack).state()).scaleSets).toEqual([]);
  await eventually(async () => expect(await instances(stack)).toEqual([]), patient);
  expect(JSON.parse(await stack.baton('get', 'scalesets', '-o', 'json'))).toEqual([]);
});

test('instances whose end was seen are deleted while GitHub answers nothing but 503', async () => {
  await using stack = await startStack({ listener: 1, provisioner: 1, janitor: 1 });
  await stack.applyScaleSets([{ name: 'linux', maxRunners: 5 }]);
  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
  const janitor = stack.service('janitor-0');
  await janitor.kill();
  await simulator(stack).addJobs({ scaleSet: 'linux', count: 5, durationMs: 10 });
  await eventually(
    async () => expect((await simulator(stack).books()).jobs.completed).toBe(5),
    patient,
  );
  await eventually(async () => {
    const runners: unknown = JSON.parse(await stack.baton('get', 'runners', '-o', 'json'));
    expect(runners).toMatchObject(Array.from({ length: 5 }, () => ({ state: 'marked' })));
  }, patient);

  await simulator(stack).outage(60_000);
  await stack.service('listener-0').kill();
  janitor.restart();

  await eventually(async () => expect(await instances(stack)).toEqual([]), patient);
});

test('a session is taken over by another listener when its holder is killed', async () => {
  await using stack = await startStack({ listener: 2, provisioner: 1, janitor: 1 });
  await stack.applyScaleSets([{ name: 'linux', maxRunners: 3 }]);
  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
  const before = await session(stack);
  const holder = before?.owner.includes('listener-0') ? 'listener-0' : 'listener-1';

  await stack.service(holder).kill();
  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(false), patient);

  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
  expect((await session(stack))?.id).toBe(before?.id);
  const [jobId = ''] = await simulator(stack).addJobs({ scaleSet: 'linux', durationMs: 10 });
  await eventually(async () => expect(await jobStatus(stack, jobId)).toBe('completed'), patient);
});

test('jobs that Enterprise Server offers are acquired and run, one runner each', async () => {
  await using stack = await startStack({ listener: 1, provisioner: 1, janitor: 1 }, [
    '--dialect',
    'ghes',
  ]);
  await stack.applyScaleSets([{ name: 'linux', maxRunners: 5 }]);
  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);

  await simulator(stack).addJobs({ scaleSet: 'linux', count: 5, durationMs: 10 });

  const books = async () => await simulator(stack).books();
  await eventually(async () => expect((await books()).jobs.completed).toBe(5), patient);
  await eventually(async () => expect(await instances(stack)).toEqual([]), patient);
  expect(await books()).toMatchObject({ lostJobs: 0, duplicateRunners: 0, registrations: [] });
});

test('the wait for a stale session ends when the scale set is disabled, and with SIGTERM', async () => {
  await using stack = await startStack({ listener: 1, provisioner: 0, janitor: 0 });
  await stack.applyScaleSets([{ name: 'linux', maxRunners: 3 }]);
  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
  const listener = stack.service('listener-0');
  await listener.kill();
  await wipeSession(stack, 'linux');
  listener.restart();
  const conflicts = async () => (await simulator(stack).books()).sessionConflicts;
  await eventually(async () => expect(await conflicts()).toBeGreaterThan(0), patient);

  await stack.baton('disable', 'linux');
  await eventually(async () => expect(await stateOf(stack)).toBe('disabled'), patient);
  await stack.baton('enable', 'linux');
  const before = await conflicts();
  await eventually(async () => expect(await conflicts()).toBeGreaterThan(before), patient);
  const exitCode = await listener.stop();

  expect(exitCode).toBe(0);
});

const scaleSetsSchema = z.array(z.looseObject({ state: z.string() }));

async function stateOf(stack: LocalStack): Promise<string | undefined> {
  const printed: unknown = JSON.parse(await stack.baton('get', 'scalesets', '-o', 'json'));
  return scaleSetsSchema.parse(printed)[0]?.state;
}

async function session(stack: LocalStack) {
  return (await simulator(stack).state()).scaleSets[0]?.session;
}

async function jobStatus(stack: LocalStack, id: string): Promise<string | undefined> {
  return (await simulator(stack).jobs()).find((job) => job.id === id)?.status;
}
