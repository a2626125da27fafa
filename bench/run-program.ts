import { inspect } from 'node:util';
import { AppError, errorText } from '@baton/shared/errors';
import { exitCodeOf, exitCodes } from '@baton/shared/lifecycle';
import { isAborted, systemClock } from '@baton/shared/time';
import { type Command, CommanderError, InvalidArgumentError } from 'commander';
import type { BenchContext } from './context.ts';

export interface Io extends BenchContext {
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
}

/** Runs the command line of this process until its end or a signal, and sets the exit code. */
export async function runProgram(make: (io: Io) => Command): Promise<void> {
  const { argv, env, stdout, stderr } = process;
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));
  }
  const say = (text: string) => stderr.write(`${text}\n`);
  const { signal } = stop;
  const io = { env, stdout, stderr, clock: systemClock, random: Math.random, signal, say };
  try {
    const program = make(io);
    // Commands that were added do not inherit this.
    for (const command of [program, ...program.commands]) {
      command
        .exitOverride()
        .configureOutput({
          writeOut: (text) => stdout.write(text),
          writeErr: (text) => stderr.write(text),
        })
        .showHelpAfterError('Add --help for usage.');
    }
    await program.parseAsync(argv.slice(2), { from: 'user' });
  } catch (error) {
    process.exitCode = failed(error, io);
  }
}

function failed(error: unknown, { signal, say }: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  if (isAborted(signal)) say('stopped before the end');
  else if (error instanceof AppError) {
    say(errorText(error));
    return exitCodeOf(error);
  } else say(inspect(error));
  return exitCodes.failed;
}

/** Reads an option that is a whole number above 0. */
export function positive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Not a whole number above 0.');
  return Number(text);
}
