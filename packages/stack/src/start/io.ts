import type { Random } from '@baton/shared/retry';
import type { Clock } from '@baton/shared/time';

/** Where text goes; `process.stdout` is one. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** Everything outside that the program touches. */
export interface Io {
  env: Readonly<Record<string, string | undefined>>;
  stdout: Output;
  stderr: Output;
  clock: Clock;
  random: Random;
  /** Aborted by the first Ctrl-C or SIGTERM: drain, and end. */
  stop: AbortSignal;
  /** Aborted by the second: kill, and end. */
  hurry: AbortSignal;
  /** `restore` is called when the process ends, however it does. */
  atExit: (restore: () => void) => void;
}
