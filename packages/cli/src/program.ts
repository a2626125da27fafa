import { readFileSync } from 'node:fs';
import { exitCodes } from '@baton/shared/lifecycle';
import { Command } from 'commander';
import picocolors from 'picocolors';
import { z } from 'zod';
import { registerApply } from './commands/apply.ts';
import { registerDead } from './commands/dead.ts';
import { registerRunner } from './commands/delete-runner.ts';
import { registerDelete } from './commands/delete-scale-set.ts';
import { registerDescribe } from './commands/describe.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerGet } from './commands/get.ts';
import { registerLogLevel } from './commands/log-level.ts';
import { registerEnableDisable } from './commands/set-enabled.ts';
import { registerSweep } from './commands/sweep.ts';
import { registerTopology } from './commands/topology.ts';
import { registerTrace } from './commands/trace.ts';
import { reportFailure } from './failure.ts';
import type { Io } from './io.ts';

/** Runs one `baton` command line, without the program's name; resolves to its exit code. */
export async function runBaton(args: readonly string[], io: Io): Promise<number> {
  try {
    await buildProgram(io).parseAsync(args, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    return reportFailure(error, io.stderr);
  }
}

function buildProgram(io: Io): Command {
  const { env, stdout, stderr } = io;
  const program = new Command('baton')
    .description('manages self-hosted GitHub Actions runners')
    .version(readVersion())
    .option('--no-color', 'plain text; NO_COLOR does the same')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('Add --help for usage.')
    .addHelpText('after', environmentHelp);
  const colors = () => {
    const wanted = program.opts<{ color: boolean }>().color && !env.NO_COLOR;
    return picocolors.createColors(wanted && (stdout.isTTY === true || Boolean(env.FORCE_COLOR)));
  };
  const context = { ...io, colors };
  registerApply(program, context);
  registerGet(program, context);
  registerDescribe(program, context);
  registerEnableDisable(program, context);
  registerDelete(program, context);
  registerRunner(program, context);
  registerTopology(program, context);
  registerDead(program, context);
  registerSweep(program, context);
  registerDoctor(program, context);
  registerTrace(program, context);
  registerLogLevel(program, context);
  return program;
}

const environmentHelp = `
Environment:
  BATON_INSTALLATION_ID   name of this installation (required)
  BATON_NATS_URL          default nats://127.0.0.1:4222
  BATON_NATS_USER         default cli
  BATON_NATS_PASSWORD     or BATON_NATS_PASSWORD_FILE (required)
  BATON_LEASE_TTL_MS      as the services have it, default 10000

Exit codes: 0 done, 1 refused or not as it should be, 2 wrong usage, 69 NATS cannot be reached,
78 configuration or scale-set file cannot be used.`;

function readVersion(): string {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(file)).version;
}
