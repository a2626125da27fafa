import { AppError, errorText } from '@baton/shared/errors';
import { exitCodeOf, exitCodes } from '@baton/shared/lifecycle';
import { CommanderError } from 'commander';
import type { Output } from './io.ts';

/** The command was understood and its answer is no. `message` says why, and what to do. */
export class Refusal extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.name = 'Refusal';
    this.exitCode = exitCode;
  }
}

/** Tells the operator what went wrong, and returns the exit code. A stack is for bugs only. */
export function reportFailure(error: unknown, stderr: Output): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
  stderr.write(`baton: ${failureText(error)}\n`);
  return error instanceof Refusal ? error.exitCode : exitCodeOf(error);
}

function failureText(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  if (error instanceof AppError && error.code === 'nats') return errorText(error);
  if (error instanceof AppError && error.code !== 'unexpected') return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
