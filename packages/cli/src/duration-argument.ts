import { InvalidArgumentError } from 'commander';
import { parseDuration } from './core/duration.ts';

/** Reads a duration off the command line; in ms. */
export function durationArgument(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Use a time like 90s, 10m or 1h.');
  return ms;
}
