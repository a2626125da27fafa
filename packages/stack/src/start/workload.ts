import { seededRandom } from './random.ts';

/** A job that is to be queued. */
export interface PlannedJob {
  /** From the start of the workload, in ms. */
  atMs: number;
  /** Index of the scale set. */
  scaleSet: number;
  durationMs: number;
}

const shortestMs = 300;
const longestMs = 4_000;
/** Mean time between two jobs, in ms: with jobs of 2 s, some 15 runners are alive at a time. */
const meanGapMs = 150;

interface WorkloadOptions {
  seed: number;
  scaleSetCount: number;
  /** Default: without end. */
  jobCount?: number | undefined;
}

/** Jobs that arrive as a Poisson process; the same ones for the same seed. */
export function* workload(options: WorkloadOptions): Generator<PlannedJob, void> {
  const { seed, scaleSetCount, jobCount = Number.POSITIVE_INFINITY } = options;
  const random = seededRandom(seed);
  let atMs = 0;
  for (let index = 0; index < jobCount; index += 1) {
    yield {
      atMs: Math.round(atMs),
      scaleSet: Math.floor(random() * scaleSetCount),
      durationMs: Math.round(shortestMs + random() * (longestMs - shortestMs)),
    };
    atMs -= Math.log(1 - random()) * meanGapMs;
  }
}
