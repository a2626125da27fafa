import { Option } from 'commander';
import type picocolors from 'picocolors';
import type { Io } from './io.ts';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** What every command is given. */
export interface Context extends Io {
  /** Read when a command runs: `--no-color` may stand anywhere on the line. */
  colors: () => Colors;
}

export type OutputFormat = 'table' | 'json';

export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print the result')
    .choices(['table', 'json'])
    .default('table');
}

/** Prints a result as the operator asked for it. */
export function writeResult(
  { stdout }: Io,
  format: OutputFormat,
  value: unknown,
  asText: () => string,
): void {
  if (format === 'json') stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  else stdout.write(asText());
}
