import type { FaultRuleInput } from '@baton/github-sim';
import { Secret } from '@baton/shared/config';
import { scaleSetIdOf, streams } from '@baton/shared/contracts';
import { connectNats, type Nats } from '@baton/shared/messaging';
import { openRunners } from '@baton/shared/stores';
import { silentLogger } from '@baton/shared/telemetry';
import { systemClock } from '@baton/shared/time';
import { LocalStack } from '@baton/stack';
import { eventually, storedMessages } from '@baton/testkit';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { heldPoll, simulator } from './stack-fixture.ts';

const patient = { timeoutMs: 30_000, everyMs: 20 };
/** Of architecture promise 8, in ms. */
const promisedMs = 100;
const rounds = 7;
const eventSchema = z.object({ runnerId: z.string(), at: z.iso.datetime() });
const brokenJobs = 1_000;

const troubles: [string, FaultRuleInput['action']][] = [
  ['refuses', { kind: 'status', status: 403, body: '{}' }],
  ['fails to give', { kind: 'status', status: 503 }],
  ['never answers about', { kind: 'hang' }],
];

test.each(troubles)(
  'a scale set beside one with a thousand jobs, whose JIT configs GitHub %s, loses less than promised',
  async (_what, action) => {
    await using stack = await LocalStack.start({
      env: process.env,
      services: { listener: 1, provisioner: 1, janitor: 1 },
      github: { kind: 'simulator', args: [] },
      // Room for all, twice: the scale sets share it.
      maxInstances: 2 * brokenJobs,
      leaseTtlMs: 10_000,
      say: () => undefined,
    });
    await stack.applyScaleSets([
      { name: 'healthy', maxRunners: 25 },
      { name: 'broken', maxRunners: brokenJobs },
    ]);
    await eventually(async () => {
      for (const name of ['healthy', 'broken']) expect(await heldPoll(stack, name)).toBe(true);
    }, patient);
    const sim = simulator(stack);
    await createTimes(stack, 3);
    const floor = median(await createTimes(stack, rounds));

    await sim.addFault({ route: 'generateJitConfig', scaleSet: 'broken', action });
    await sim.addJobs({ scaleSet: 'broken', count: brokenJobs });
    const beside = median(await createTimes(stack, rounds));

    const { faults } = await sim.state();
    expect(faults[0]?.hits).toBeGreaterThan(0);
    expect(beside - floor, `${floor} ${beside}`).toBeLessThan(promisedMs);
  },
  120_000,
);

/** From a runner's record to its instance, in ms, one job after the other. */
async function createTimes(stack: LocalStack, count: number): Promise<number[]> {
  await using nats = await connect(stack);
  const runners = await openRunners(nats);
  const scaleSetId = scaleSetIdOf('healthy');
  const before = (await createEvents(nats, scaleSetId)).size;
  for (let n = 0; n < count; n += 1) {
    await simulator(stack).addJobs({ scaleSet: 'healthy' });
    await eventually(async () => {
      expect(await completedCount(stack)).toBe(before + n + 1);
      expect(await runners.list(scaleSetId)).toEqual([]);
    }, patient);
  }
  const all = [...(await createEvents(nats, scaleSetId)).values()];
  return all.slice(before).map(({ requested = 0, created = 0 }) => created - requested);
}

/** When the runners of a scale set were requested and created, in ms, by their ids. */
async function createEvents(nats: Nats, scaleSetId: string) {
  const found = new Map<string, { requested?: number; created?: number }>();
  for (const { subject, data } of await storedMessages(nats, streams.events)) {
    const what = subject.split('.').at(-1) ?? '';
    if (!subject.startsWith(`baton.v1.event.provisioner.${scaleSetId}.runner.`)) continue;
    const { runnerId, at } = eventSchema.parse(data);
    found.set(runnerId, { ...found.get(runnerId), [what]: Date.parse(at) });
  }
  return found;
}

async function completedCount(stack: LocalStack): Promise<number> {
  const jobs = await simulator(stack).jobs();
  return jobs.filter(({ scaleSet, status }) => scaleSet === 'healthy' && status === 'completed')
    .length;
}

async function connect(stack: LocalStack) {
  return await connectNats({
    natsUrl: stack.natsUrl,
    natsUser: 'cli',
    natsPassword: new Secret(stack.variablesOf('cli').BATON_NATS_PASSWORD ?? ''),
    natsConnectTimeoutMs: 5_000,
    name: 'test',
    log: silentLogger(),
    clock: systemClock,
  });
}

function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
