import { errorText } from '@baton/shared/errors';
import { exitCodes } from '@baton/shared/lifecycle';
import { isAborted } from '@baton/shared/time';
import { aborted } from './aborted.ts';
import { Refusal } from './failure.ts';
import type { Io } from './io.ts';
import type { StartOptions } from './options.ts';
import { preflight, type RealGitHub, runnerCommand } from './real-github.ts';
import { type RunningStack, withStack } from './with-stack.ts';

/** Each has a copy of actions/runner, some 600 MB. */
const maxRunners = 4;
const senseless = ['--jobs', '--exit', '--kill', '--seed', '--scale-sets'];

/** The services against the real GitHub, with one scale set, until Ctrl-C; returns the exit code. */
export async function runAgainstGitHub(
  real: RealGitHub,
  options: StartOptions,
  io: Io,
): Promise<number> {
  const refused = options.given.filter((option) => senseless.includes(option));
  if (refused.length > 0) {
    throw new Refusal(
      `${refused.join(', ')} cannot be used with the real GitHub: unset BATON_GITHUB_CONFIG_URL for the simulator, or leave it out`,
      exitCodes.usage,
    );
  }
  await preflight(real, io);
  const { value: exitCode } = await withStack(
    {
      kind: 'real',
      configUrl: real.configUrl.url,
      token: real.token.reveal().trim(),
      runnerCommand: real.runnerDir === undefined ? undefined : runnerCommand(real.runnerDir),
      runnerImage: real.runnerImage,
    },
    { options, io },
    async (running, signal) => await serve(running, real, signal),
  );
  return exitCode;
}

async function serve(
  running: RunningStack,
  { scaleSet, configUrl, adopt }: RealGitHub,
  signal: AbortSignal,
): Promise<number> {
  const { stack, say, broken } = running;
  await stack.applyScaleSets([{ name: scaleSet, maxRunners, adopt }]);
  say(`jobs with "runs-on: ${scaleSet}" in ${configUrl.url} run here, ${maxRunners} at a time`);
  await aborted(signal);
  if (isAborted(broken)) return exitCodes.failed;
  say(`deleting scale set ${scaleSet} once its jobs are done (Ctrl-C kills them)`);
  try {
    await stack.batonAloud(['delete', 'scaleset', scaleSet, '--yes', '--timeout', '24h'], broken);
    return exitCodes.ok;
  } catch (error) {
    say(`scale set ${scaleSet} may be left at GitHub: ${errorText(error)}`);
    return exitCodes.failed;
  }
}
