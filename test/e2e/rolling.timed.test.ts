import type { LocalStack } from '@baton/stack';
import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { completedJobs, jobEvents, simulator, startStack } from './stack-fixture.ts';

const patient = { timeoutMs: 40_000, everyMs: 50 };
const names = Array.from({ length: 12 }, (_, n) => `set-${n}`);
const listeners = ['listener-0', 'listener-1', 'listener-2'];

test('a rolling restart of three listeners under load leaves no gap above a second, and nothing is lost or doubled', async () => {
  await using stack = await startStack({ listener: 3, provisioner: 1, janitor: 1 }, [], {
    BATON_REBALANCE_AFTER_MS: '3000',
  });
  await stack.applyScaleSets(names.map((name) => ({ name, maxRunners: 3 })));
  await eventually(async () => expect(await pollsHeld(stack)).toBe(names.length), patient);
  const { sessionsCreated } = await simulator(stack).books();
  const load = new AbortController();
  const queued = queueJobs(stack, load.signal);

  for (const instance of listeners) {
    const listener = stack.service(instance);
    expect(await listener.stop()).toBe(0);
    listener.restart();
    await listener.ready(AbortSignal.timeout(20_000));
  }
  // Those that came back get what they should have.
  await eventually(async () => expect(new Set(await owners(stack)).size).toBe(3), patient);
  load.abort();
  const jobs = await queued;
  await eventually(async () => expect(await completedJobs(stack)).toHaveLength(jobs), patient);

  const books = await simulator(stack).books();
  expect(books.sessionGapMs).toBeLessThanOrEqual(1_000);
  expect(books.sessionsCreated).toBe(sessionsCreated);
  expect(books).toMatchObject({ lostJobs: 0, duplicateRunners: 0 });
  await eventually(async () => {
    const events = await jobEvents(stack);
    expect(events).toEqual({ assigned: jobs, started: jobs, completed: jobs });
  }, patient);
});

async function pollsHeld(stack: LocalStack): Promise<number> {
  return (await simulator(stack).state()).pollsHeld;
}

/** One job for each scale set in turn, until the signal is aborted; resolves to how many. */
async function queueJobs(stack: LocalStack, signal: AbortSignal): Promise<number> {
  let jobs = 0;
  while (!signal.aborted && jobs < 400) {
    const scaleSet = names[jobs % names.length];
    if (scaleSet) await simulator(stack).addJobs({ scaleSet, durationMs: 100 });
    jobs += 1;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return jobs;
}

const scaleSetsSchema = z.array(z.looseObject({ owner: z.string().optional() }));

/** Which listener polls each scale set. */
async function owners(stack: LocalStack): Promise<(string | undefined)[]> {
  const scaleSets: unknown = JSON.parse(await stack.baton('get', 'scalesets', '-o', 'json'));
  return scaleSetsSchema.parse(scaleSets).map(({ owner }) => owner);
}
