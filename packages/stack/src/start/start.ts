import { exitCodes } from '@baton/shared/lifecycle';
import { explainFailure } from './failure.ts';
import type { Io } from './io.ts';
import { parseOptions } from './options.ts';
import { loadRealGitHub } from './real-github.ts';
import { runAgainstGitHub } from './run-against-github.ts';
import { runSimulation } from './run-simulation.ts';

/** Runs `npm start -- …args`; resolves to the exit code. Whatever happens, nothing is left. */
export async function start(args: readonly string[], io: Io): Promise<number> {
  try {
    const options = parseOptions(args, io);
    const real = loadRealGitHub(io.env, options.provider);
    const exitCode = await (real
      ? runAgainstGitHub(real, options, io)
      : runSimulation(options, io));
    return io.hurry.aborted ? exitCodes.failed : exitCode;
  } catch (error) {
    // What was killed says that it could not do its work.
    if (io.hurry.aborted) return exitCodes.failed;
    if (io.stop.aborted && error === io.stop.reason) {
      return args.includes('--exit') ? exitCodes.failed : exitCodes.ok;
    }
    const { text, exitCode } = explainFailure(error);
    if (text !== undefined) io.stderr.write(`baton: ${text}\n`);
    return exitCode;
  }
}
