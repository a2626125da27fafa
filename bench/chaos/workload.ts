import { seededRandom } from '@baton/stack';

export interface PlannedJob {
  /** From the start, in ms. */
  atMs: number;
  scaleSet: string;
  durationMs: number;
  /** Its runner dies in the middle of it. */
  crash: boolean;
}

const crashShare = 0.03;

interface WorkloadOptions {
  seed: number;
  lengthMs: number;
  /** On average. */
  jobsPerMinute: number;
  scaleSets: readonly string[];
}

/** The jobs of a run, in order; the same for the same options. Pure. */
export function workload({
  seed,
  lengthMs,
  jobsPerMinute,
  scaleSets,
}: WorkloadOptions): PlannedJob[] {
  const random = seededRandom(seed ^ 0x10b5);
  const meanGapMs = 60_000 / jobsPerMinute;
  const jobs: PlannedJob[] = [];
  let atMs = 0;
  for (;;) {
    atMs -= Math.log(1 - random()) * meanGapMs;
    if (atMs >= lengthMs) return jobs;
    jobs.push({
      atMs: Math.round(atMs),
      scaleSet: scaleSets[Math.floor(random() * scaleSets.length)] ?? '',
      durationMs: Math.round(200 + random() * 3_800),
      crash: random() < crashShare,
    });
  }
}
