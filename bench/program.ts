import { AppError, errorText } from '@baton/shared/errors';
import { exitCodeOf, exitCodes } from '@baton/shared/lifecycle';
import type { Random } from '@baton/shared/retry';
import { type Clock, isAborted } from '@baton/shared/time';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import type { BenchContext } from './context.ts';
import { benchSessions } from './sessions/sessions.ts';
import { sessionsTable } from './sessions/table.ts';
import { takeoverTable } from './takeover/table.ts';
import { benchTakeover } from './takeover/takeover.ts';

export interface Io {
  env: BenchContext['env'];
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
  clock: Clock;
  random: Random;
  /** Aborted when the process is told to stop. */
  signal: AbortSignal;
}

/** Runs one line of `npm run bench`; resolves to its exit code. Nothing is left afterwards. */
export async function runBench(args: readonly string[], io: Io): Promise<number> {
  try {
    await benchProgram(io).parseAsync(args, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    if (isAborted(io.signal)) {
      io.stderr.write('stopped before the end\n');
      return exitCodes.failed;
    }
    if (error instanceof AppError) {
      io.stderr.write(`${errorText(error)}\n`);
      return exitCodeOf(error);
    }
    throw error;
  }
}

function benchProgram(io: Io): Command {
  const { stdout, stderr } = io;
  return new Command('npm run bench --')
    .description(
      'Measures Baton on this machine, against its own simulator of GitHub. Progress goes to stderr;\n' +
        'the last line of stdout is the result, as JSON.',
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
    })
    .showHelpAfterError('Add --help for usage.')
    .addCommand(takeoverCommand(io))
    .addCommand(sessionsCommand(io));
}

const jsonOption = ['--json', 'no table, only the line of JSON'] as const;

const takeoverSchema = z.object({
  sets: z.number(),
  kills: z.number(),
  json: z.boolean().default(false),
});

function takeoverCommand(io: Io): Command {
  return new Command('takeover')
    .description(
      'how long scale sets are not polled when their listener is killed, stopped, told to end',
    )
    .option('--sets <number>', 'scale sets; each is one sample', positive, 20)
    .option('--kills <number>', 'restarts of the same identity', positive, 5)
    .option(...jsonOption)
    .action(async (given: unknown) => {
      const { json, ...options } = takeoverSchema.parse(given);
      const report = await benchTakeover(contextOf(io), options);
      finish(io, report, json ? undefined : takeoverTable(report));
    });
}

const sessionsSchema = z.object({
  sets: z.array(z.int().min(1)),
  seconds: z.number(),
  profile: z.string().optional(),
  json: z.boolean().default(false),
});

function sessionsCommand(io: Io): Command {
  return new Command('sessions')
    .description('what idle scale sets cost one listener: memory, CPU, start, and the lag of polls')
    .option('--sets <numbers>', 'how many sets, one measurement each', numbers, [100, 1_000, 3_000])
    .option('--seconds <number>', 'how long each is observed', positive, 120)
    .option(
      '--profile <folder>',
      'write CPU profiles of the listener; the figures then count little',
    )
    .option(...jsonOption)
    .action(async (given: unknown) => {
      const { json, profile, ...options } = sessionsSchema.parse(given);
      const report = await benchSessions(contextOf(io), { ...options, profileDir: profile });
      finish(io, report, json ? undefined : sessionsTable(report));
    });
}

function contextOf({ stderr, ...io }: Io): BenchContext {
  return { ...io, say: (text) => stderr.write(`${text}\n`) };
}

function finish({ stdout }: Io, report: unknown, table: string | undefined): void {
  if (table !== undefined) stdout.write(`${table}\n`);
  stdout.write(`${JSON.stringify(report)}\n`);
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Not a whole number above 0.');
  return Number(text);
}

function numbers(text: string): number[] {
  return text.split(',').map(positive);
}
