import { seededRandom } from '@baton/stack';

export interface PlannedJob {
  /** From the start, in ms. */
  atMs: number;
  scaleSet: string;
  durationMs: number;
  /** Its runner dies in the middle of it. */
  crash: boolean;
}

/** Mean time between two jobs, in ms: some five runners are alive at a time. */
const meanGapMs = 500;
const crashShare = 0.03;

/** The jobs of a run, in order; the same for the same seed. Pure. */
export function workload(
  seed: number,
  lengthMs: number,
  scaleSets: readonly string[],
): PlannedJob[] {
  const random = seededRandom(seed ^ 0x10b5);
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
