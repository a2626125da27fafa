import type { Clock } from '@baton/shared/time';

/** Where text goes; `process.stdout` is one. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** How wide a terminal is. */
  readonly columns?: number | undefined;
}

/** Everything outside that the program touches. */
export interface Io {
  env: Record<string, string | undefined>;
  stdout: Output;
  stderr: Output;
  clock: Clock;
  /** Asks the person at the terminal; absent when nobody sits there. */
  ask?: ((question: string) => Promise<string>) | undefined;
}
