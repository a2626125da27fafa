import type { LocalStack } from '@baton/stack';
import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import {
  heldPoll,
  instances,
  killInstance,
  records,
  simulator,
  startStack,
} from './stack-fixture.ts';

const patient = { timeoutMs: 40_000, everyMs: 100 };
/** Longer than it takes until runners that GitHub does not list count as gone. */
const veryPatient = { timeoutMs: 90_000, everyMs: 250 };
const services = { listener: 1, provisioner: 1, janitor: 1 };
const often = { BATON_PASS_EVERY_MS: '1000', BATON_GITHUB_LOOK_EVERY_MS: '1000' };

/** The system with the scale set `linux`, which keeps so many idle runners. */
async function startWarm(minRunners: number): Promise<LocalStack> {
  await using undo = new AsyncDisposableStack();
  const stack = undo.use(await startStack(services, [], often));
  await stack.applyScaleSets([{ name: 'linux', minRunners, maxRunners: 10 }]);
  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
  await eventually(async () => expect(await idle(stack)).toHaveLength(minRunners), patient);
  undo.move();
  return stack;
}

/** The ids of the runners that Baton takes for idle. */
async function idle(stack: LocalStack): Promise<string[]> {
  const all = await records(stack);
  return all.filter(({ state }) => state === 'idle').map(({ runnerId }) => runnerId);
}

async function jobOf(stack: LocalStack, id: string) {
  const job = (await simulator(stack).jobs()).find((one) => one.id === id);
  if (!job) throw new Error(`no job ${id}`);
  return job;
}

async function isCompleted(stack: LocalStack, ...ids: string[]): Promise<void> {
  await eventually(async () => {
    for (const id of ids) expect(await jobOf(stack, id)).toMatchObject({ status: 'completed' });
  }, patient);
}

async function nothingIsLeft(stack: LocalStack): Promise<void> {
  await eventually(async () => {
    expect(await instances(stack)).toEqual([]);
    expect(await records(stack)).toEqual([]);
  }, patient);
}

describe('registrations that GitHub has dropped while their instances stay', () => {
  test('are replaced, each once, and the instances go', async () => {
    await using stack = await startWarm(3);
    const before = await idle(stack);

    await simulator(stack).dropRegistrations({ told: false });

    await eventually(async () => {
      const now = await idle(stack);
      expect(now).toHaveLength(3);
      expect(now.filter((id) => before.includes(id))).toEqual([]);
    }, veryPatient);
    await eventually(async () => expect(await instances(stack)).toHaveLength(3), patient);
    expect((await simulator(stack).books()).runnersOnline).toBe(6);
    const ids = await simulator(stack).addJobs({ scaleSet: 'linux', count: 3, durationMs: 10 });
    await isCompleted(stack, ...ids);
    expect(await simulator(stack).books()).toMatchObject({ lostJobs: 0 });
  });
});

describe('all idle runners', () => {
  test('that are killed are replaced within seconds', async () => {
    await using stack = await startWarm(3);
    const before = await idle(stack);

    for (const runnerId of before) await killInstance(stack, runnerId);
    const killedAt = performance.now();

    await eventually(async () => {
      const { runners } = await simulator(stack).state();
      const online = runners.filter(({ name, status }) => {
        const known = before.some((id) => name.endsWith(id));
        return status === 'idle' && !known;
      });
      expect(online).toHaveLength(3);
    }, patient);
    expect(performance.now() - killedAt).toBeLessThan(20_000);
    await eventually(async () => expect(await instances(stack)).toHaveLength(3), patient);
    await eventually(async () => expect(await idle(stack)).toHaveLength(3), patient);
  });
});

describe('a job that is cancelled while its runner boots', () => {
  test('leaves the runner to the next job, which it runs to the end', async () => {
    await using stack = await startStack(services, [], often);
    await stack.applyScaleSets([{ name: 'linux', maxRunners: 5 }]);
    await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
    await simulator(stack).play('linux', { runner: { connectDelayMs: 6_000 } });
    const [first = ''] = await simulator(stack).addJobs({ scaleSet: 'linux' });
    await eventually(async () => {
      expect(await records(stack)).toMatchObject([{ state: 'starting' }]);
    }, patient);
    const [booting] = await records(stack);

    await simulator(stack).cancelJob(first);
    await eventually(async () => {
      const { scaleSets } = await simulator(stack).state();
      expect(scaleSets[0]).toMatchObject({ messages: 0, statistics: { totalAssignedJobs: 0 } });
    }, patient);
    const job = { scaleSet: 'linux', durationMs: 20_000 };
    const [second = ''] = await simulator(stack).addJobs(job);

    await isCompleted(stack, second);
    expect((await jobOf(stack, second)).runnerName).toBe(booting?.name);
    expect(await simulator(stack).books()).toMatchObject({ lostJobs: 0, runnersOnline: 1 });
    await nothingIsLeft(stack);
  });
});

describe('jobs that are taken crosswise', () => {
  test('bind to the runners that took them, and each runner goes after its own job', async () => {
    await using stack = await startStack(services, [], often);
    await stack.applyScaleSets([{ name: 'linux', maxRunners: 5 }]);
    await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
    const started = async (count: number) =>
      await eventually(async () => {
        const all = await records(stack);
        expect(all.filter(({ state }) => state === 'starting')).toHaveLength(count);
        return all;
      }, patient);
    await simulator(stack).play('linux', { runner: { connectDelayMs: 15_000 } });
    const [early = ''] = await simulator(stack).addJobs({ scaleSet: 'linux', durationMs: 40_000 });
    const [slow] = await started(1);
    await eventually(async () => expect(await instances(stack)).toHaveLength(1), patient);
    await asked(stack);

    await simulator(stack).play('linux', { runner: {} });
    const [late = ''] = await simulator(stack).addJobs({ scaleSet: 'linux', durationMs: 3_000 });
    await eventually(async () => {
      expect((await jobOf(stack, late)).runnerName).toBe(slow?.name);
    }, patient);

    const quick = (await jobOf(stack, early)).runnerName;
    expect(quick).not.toBe(slow?.name);
    await isCompleted(stack, late);
    await eventually(async () => {
      expect(await records(stack)).toMatchObject([
        { name: quick, state: 'busy', job: { jobId: early } },
      ]);
      expect(await instances(stack)).toHaveLength(1);
    }, patient);
    await isCompleted(stack, early);
    expect(await simulator(stack).books()).toMatchObject({ lostJobs: 0, duplicateRunners: 0 });
    await nothingIsLeft(stack);
  });
});

/** The runner process that was started has learned how slow it is to be. */
async function asked(stack: LocalStack): Promise<void> {
  await eventually(async () => {
    const { traffic } = await simulator(stack).books();
    expect(JSON.stringify(traffic)).toContain('runnerBehaviour');
  }, patient);
}
