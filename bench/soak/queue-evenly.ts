import type { SimControl } from '@baton/github-sim';
import type { BenchContext } from '../context.ts';

interface Load {
  scaleSets: readonly string[];
  jobsPerS: number;
  lengthMs: number;
}

/** Gives the scale sets a job in turn, at an even pace, for so long; jobs take 0.2 to 4 s. */
export async function queueEvenly(
  sim: SimControl,
  { scaleSets, jobsPerS, lengthMs }: Load,
  { clock, random, signal }: Pick<BenchContext, 'clock' | 'random' | 'signal'>,
): Promise<void> {
  const startedAt = clock.monotonic();
  const total = Math.floor((jobsPerS * lengthMs) / 1_000);
  for (let count = 0; count < total; count += 1) {
    const waitMs = startedAt + (count * 1_000) / jobsPerS - clock.monotonic();
    if (waitMs > 0) await clock.sleep(waitMs, signal);
    const scaleSet = scaleSets[count % scaleSets.length] ?? '';
    await sim.addJobs({ scaleSet, durationMs: Math.round(200 + random() * 3_800) });
  }
}
