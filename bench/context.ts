import type { Random } from '@baton/shared/retry';
import type { Clock } from '@baton/shared/time';

/** What the command line lends to a benchmark. */
export interface BenchContext {
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  random: Random;
  /** Told what is being done, line by line. */
  say: (text: string) => void;
  /** Aborted by Ctrl-C: everything is cleaned up then. */
  signal: AbortSignal;
}
