import { AppError, errorText } from '@baton/shared/errors';
import { exitCodeOf, exitCodes } from '@baton/shared/lifecycle';
import { CommanderError } from 'commander';

/** What was asked for cannot be done. `message` says why, and what to do. */
export class Refusal extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'Refusal';
    this.exitCode = exitCode;
  }
}

/** What to tell of an error, and the exit code for it. A stack is for bugs only. */
export function explainFailure(error: unknown): { text: string | undefined; exitCode: number } {
  if (error instanceof CommanderError) {
    // Commander has said it already.
    const asked = error.exitCode === 0;
    return { text: undefined, exitCode: asked ? exitCodes.ok : exitCodes.usage };
  }
  if (error instanceof Refusal) return { text: error.message, exitCode: error.exitCode };
  if (error instanceof AppError) return { text: error.message, exitCode: exitCodeOf(error) };
  const stack = error instanceof Error ? error.stack : undefined;
  return { text: stack ?? errorText(error), exitCode: exitCodes.failed };
}
