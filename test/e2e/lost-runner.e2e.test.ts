import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobRecord } from '@baton/github-sim';
import type { LocalStack } from '@baton/stack';
import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { heldPoll, instances, jobEvents, simulator, startStack } from './stack-fixture.ts';

const patient = { timeoutMs: 60_000, everyMs: 50 };

/** GitHub gives jobs beyond the capacity, and believes for so long in a runner that went silent. */
const github = ['--capacity-heeded', 'false', '--runner-offline-ms', '20000'];

async function job(stack: LocalStack, id: string): Promise<JobRecord | undefined> {
  return (await simulator(stack).jobs()).find((one) => one.id === id);
}

async function untilStatus(stack: LocalStack, id: string, status: string): Promise<void> {
  await eventually(async () => expect((await job(stack, id))?.status).toBe(status), patient);
}

/** What an eviction or a crash does: a signal to every process of the instance. */
async function end(stack: LocalStack, instance: string, signal: NodeJS.Signals): Promise<void> {
  const pidFile = join(stack.dir, 'instances/local', instance, 'pid');
  process.kill(-Number((await readFile(pidFile, 'utf8')).split(' ')[0]), signal);
}

describe('a runner that is ended in the middle of its job', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'by %s gives its place to the next job within 10 s, though GitHub still believes that it is busy',
    async (signal) => {
      await using stack = await startStack({ listener: 1, provisioner: 1, janitor: 1 }, github);
      await stack.applyScaleSets([{ name: 'linux', maxRunners: 1 }]);
      await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
      const long = { scaleSet: 'linux', durationMs: 600_000 };
      const [first = ''] = await simulator(stack).addJobs(long);
      await untilStatus(stack, first, 'running');
      const [second = ''] = await simulator(stack).addJobs(long);
      await untilStatus(stack, second, 'assigned');
      const [instance = ''] = await instances(stack);
      const before = await jobEvents(stack);

      await end(stack, instance, signal);
      const endedAt = performance.now();

      await untilStatus(stack, second, 'running');
      expect(performance.now() - endedAt).toBeLessThan(10_000);
      expect(await job(stack, first)).toMatchObject({ status: 'running' });
      expect((await job(stack, second))?.runnerName).not.toBe(
        (await job(stack, first))?.runnerName,
      );
      await eventually(async () => {
        expect(await instances(stack)).not.toContain(instance);
        expect(await job(stack, first)).toMatchObject({ status: 'failed' });
        const after = await jobEvents(stack);
        expect(after.completed).toBe((before.completed ?? 0) + 1);
      }, patient);
    },
  );
});

test('a provisioner that is killed finds its running instances again and sees their end', async () => {
  await using stack = await startStack({ listener: 1, provisioner: 1, janitor: 1 });
  await stack.applyScaleSets([{ name: 'linux', maxRunners: 2 }]);
  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
  const jobs = await simulator(stack).addJobs({ scaleSet: 'linux', count: 2, durationMs: 600_000 });
  for (const id of jobs) await untilStatus(stack, id, 'running');
  const running = await instances(stack);
  const provisioner = stack.service('provisioner-0');

  await provisioner.kill();
  const [first = '', second = ''] = running;
  await end(stack, first, 'SIGKILL');
  provisioner.restart();

  await eventually(async () => expect(await instances(stack)).not.toContain(first), patient);
  expect(await instances(stack)).toContain(second);
  expect((await stack.instances()).find(({ runnerId }) => runnerId === second)?.state).toBe(
    'running',
  );
});
