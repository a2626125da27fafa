/** Jobs that were assigned and that no runner has taken yet. */
export interface Unserved {
  /** Wall clock of when they were first seen, or a runner last took one. */
  since: number;
  assigned: number;
  running: number;
}

interface Seen {
  assigned: number;
  running: number;
  /** A runner took a job just now. */
  started: boolean;
}

/**
 * For how long assigned jobs have waited without any runner taking one: progress starts the time
 * anew, so that a scale set that is always busy does not look stuck. Pure.
 */
export function nextUnserved(
  before: Unserved | undefined,
  { assigned, running, started }: Seen,
  now: number,
): Unserved | undefined {
  if (assigned <= running) return undefined;
  const goesOn = before !== undefined && !started && running <= before.running;
  return { since: goesOn ? before.since : now, assigned, running };
}
