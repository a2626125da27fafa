import type { BenchContext } from '../context.ts';
import { hostNow } from '../measure/host-now.ts';
import { rounded } from '../measure/percentiles.ts';
import type { PipelineStack } from './pipeline-stack.ts';

/** Jobs wait for runners that never finish them; ms. */
const durationMs = 3_600_000;
const onlineEveryMs = 20;

/** Gives jobs to the sets, one after another at an even pace; returns their ids. */
export async function addJobs(
  { clock, random, signal }: BenchContext,
  stack: PipelineStack,
  { jobsPerS, seconds }: { jobsPerS: number; seconds: number },
): Promise<string[]> {
  const { sim, names } = stack;
  const startedAt = clock.monotonic();
  const adding: Promise<string[]>[] = [];
  const online = new AbortController();
  const playing = keepOnline(stack, clock, online.signal);
  playing.catch(() => undefined);
  try {
    for (let count = 0; count < jobsPerS * seconds; count += 1) {
      const dueInMs = startedAt + (count * 1_000) / jobsPerS - clock.monotonic();
      if (dueInMs > 0) await clock.sleep(dueInMs, signal);
      const scaleSet = names[Math.floor(random() * names.length)] ?? '';
      adding.push(sim.addJobs({ scaleSet, durationMs }));
    }
    return (await Promise.all(adding)).flat();
  } finally {
    // Whatever went wrong, it is not that the stack went away under who still plays.
    online.abort();
    await playing;
  }
}

async function keepOnline(
  stack: PipelineStack,
  clock: BenchContext['clock'],
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    await stack.bringOnline();
    await clock.sleep(onlineEveryMs);
  }
}

export interface Burst {
  /** From the first job to the last create. */
  ms: number;
  runnersPerS: number;
}

const burstTimeoutMs = 180_000;

/** Gives many jobs to all sets at once, and waits until each has its runner. */
export async function burst(stack: PipelineStack, jobs: number): Promise<Burst> {
  const { sim, names, live, book } = stack;
  const count = Math.ceil(jobs / names.length);
  const startedAt = hostNow();
  await Promise.all(names.map((scaleSet) => sim.addJobs({ scaleSet, count, durationMs })));
  await stack.untilCreated(live + count * names.length, burstTimeoutMs);
  const ms = Math.max(...[...book.lines.values()].map(({ at }) => at)) - startedAt;
  return { ms, runnersPerS: rounded((count * names.length * 1_000) / ms) };
}
