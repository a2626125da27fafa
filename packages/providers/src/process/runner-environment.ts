import type { CreateRequest } from '../provider.ts';
import { markerVariable } from './instance-folder.ts';

const inherited = ['PATH', 'HOME', 'LANG', 'TMPDIR'];

/**
 * The whole environment of a runner: nothing of the service leaks into jobs but these four names.
 * The JIT config travels here and only here, never in arguments (which everybody on the host may
 * read) and never on disk.
 */
export function runnerEnvironment(
  serviceEnv: Readonly<Record<string, string | undefined>>,
  definitionEnv: Readonly<Record<string, string>>,
  { runnerId, jitConfig }: CreateRequest,
): Record<string, string> {
  const env: Record<string, string> = { PATH: '/usr/local/bin:/usr/bin:/bin' };
  for (const name of inherited) {
    const value = serviceEnv[name];
    if (value) env[name] = value;
  }
  return {
    ...env,
    RUNNER_ALLOW_RUNASROOT: '1',
    ...definitionEnv,
    [markerVariable]: runnerId,
    ACTIONS_RUNNER_INPUT_JITCONFIG: jitConfig.reveal(),
  };
}
