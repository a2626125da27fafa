import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import { completedJobs, heldPoll, simulator, startPolling } from './stack-fixture.ts';

const patient = { timeoutMs: 30_000, everyMs: 20 };

test('a killed listener polls again within 2.5 s of its restart, while GitHub has the old session', async () => {
  await using stack = await startPolling();
  const listener = stack.service('listener-0');
  await listener.kill();
  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(false), patient);

  listener.restart();

  await eventually(async () => expect(await heldPoll(stack, 'linux')).toBe(true), patient);
  expect(Date.now() - listener.startedAt).toBeLessThanOrEqual(2_500);
  const [jobId] = await simulator(stack).addJobs({ scaleSet: 'linux', durationMs: 10 });
  await eventually(async () => expect(await completedJobs(stack)).toContain(jobId), patient);
});
