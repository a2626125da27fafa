import { systemClock } from '@baton/shared/time';
import { expect, test } from 'vitest';
import { createLatencies } from '../../bench/pipeline/create-latencies.ts';
import { burst } from '../../bench/pipeline/jobs.ts';
import { PipelineStack } from '../../bench/pipeline/pipeline-stack.ts';
import { pollGaps } from '../../bench/polls.ts';

const jobs = 200;
/** As many as GitHub puts into one. */
const jobsOfAMessage = 50;

const what =
  '200 jobs of one scale set in four messages: polled all the while, and the last runner is created in seconds';

test(what, { timeout: 120_000 }, async () => {
  const context = {
    env: process.env,
    clock: systemClock,
    random: Math.random,
    say: () => undefined,
    signal: AbortSignal.timeout(110_000),
  };
  await using stack = await PipelineStack.start(context, {
    sets: 1,
    provisioners: 2,
    maxRunners: jobs,
  });
  const { journal } = stack;
  await journal.read();
  const position = journal.position;

  await burst(stack, jobs);

  await journal.read();
  const since = journal.since(position);
  const created = [...stack.book.lines.values()].map(({ at }) => ({ scaleSet: 'set-0', at }));
  const times = createLatencies(await stack.sim.jobs(), since, created);
  const delivered = since.filter(({ event }) => event === 'delivered');
  expect(delivered.length).toBeGreaterThanOrEqual(jobs / jobsOfAMessage);
  expect(created).toHaveLength(jobs);
  expect(Math.max(...times)).toBeLessThan(10_000);
  const seenMs = since.at(-1)?.at ?? Infinity;
  const gaps = pollGaps(since).map(({ fromMs, toMs = seenMs }) => toMs - fromMs);
  expect(gaps.length).toBeGreaterThanOrEqual(jobs / jobsOfAMessage);
  expect(Math.max(...gaps)).toBeLessThan(1_000);
});
