import { access, constants } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type ConfigUrl,
  GitHubTransport,
  isGitHubError,
  parseConfigUrl,
  TokenSources,
} from '@baton/scaleset';
import { flagSchema, loadConfig, type Secret, secretSchema } from '@baton/shared/config';
import { ConfigError } from '@baton/shared/errors';
import { exitCodes } from '@baton/shared/lifecycle';
import { silentLogger } from '@baton/shared/telemetry';
import { withDeadline } from '@baton/shared/time';
import { z } from 'zod';
import type { ProviderName } from '../stack-options.ts';
import { Refusal } from './failure.ts';
import type { Io } from './io.ts';

/** How to reach the real GitHub, and what to run there. */
export interface RealGitHub {
  configUrl: ConfigUrl;
  token: Secret;
  /** An unpacked actions/runner, for runners as processes. */
  runnerDir: string | undefined;
  /** For runners in containers. */
  runnerImage: string | undefined;
  scaleSet: string;
  /** Take over a scale set of that name that an earlier run left behind, or somebody else made. */
  adopt: boolean;
}

const runnerDirSchema = z
  .string()
  .describe('an unpacked actions/runner: https://github.com/actions/runner/releases');

const variables = {
  configUrl: { variable: 'BATON_GITHUB_CONFIG_URL', schema: z.string() },
  token: {
    variable: 'BATON_GITHUB_TOKEN',
    schema: secretSchema.describe(
      'a token that may manage self-hosted runners there; or BATON_GITHUB_TOKEN_FILE',
    ),
  },
  runnerImage: { variable: 'BATON_RUNNER_IMAGE', schema: z.string().optional() },
  scaleSet: { variable: 'BATON_SCALE_SET', schema: z.string().default('baton-local') },
  adopt: { variable: 'BATON_ADOPT', schema: flagSchema },
};

/** Of no use without `BATON_GITHUB_CONFIG_URL`. */
const realOnly = [
  'BATON_GITHUB_TOKEN',
  'BATON_GITHUB_TOKEN_FILE',
  'BATON_RUNNER_DIR',
  'BATON_RUNNER_IMAGE',
  'BATON_ADOPT',
];
const preflightTimeoutMs = 30_000;

/**
 * What the environment says of the real GitHub; undefined when it names none.
 * @throws ConfigError with everything that is missing.
 */
export function loadRealGitHub(
  env: Io['env'],
  provider: ProviderName = 'process',
): RealGitHub | undefined {
  if (!env.BATON_GITHUB_CONFIG_URL) {
    const meant = realOnly.filter((variable) => env[variable]);
    if (meant.length === 0) return undefined;
    throw new ConfigError(
      `${meant.join(' and ')} is for the real GitHub: set BATON_GITHUB_CONFIG_URL too, or unset it`,
    );
  }
  const schema = provider === 'process' ? runnerDirSchema : runnerDirSchema.optional();
  const known = { ...variables, runnerDir: { variable: 'BATON_RUNNER_DIR', schema } };
  const { configUrl, runnerDir, ...rest } = loadConfig(known, { ...env });
  try {
    return {
      ...rest,
      configUrl: parseConfigUrl(configUrl),
      runnerDir: runnerDir && resolve(runnerDir),
    };
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ConfigError(`BATON_GITHUB_CONFIG_URL: ${cause.message}`, { cause });
  }
}

/**
 * Each runner unpacks its configuration into its own folder, so each gets a copy of the program, in
 * its working folder. `--reflink=auto` makes that cheap where the file system can.
 */
export function runnerCommand(runnerDir: string): readonly [string, ...string[]] {
  const script = 'cp -a --reflink=auto "$1/." . && exec ./run.sh';
  return ['/bin/sh', '-c', script, 'runner', runnerDir];
}

/** @throws ConfigError or Refusal, before anything is started, when it cannot work. */
export async function preflight(real: RealGitHub, io: Io): Promise<void> {
  if (real.runnerDir !== undefined) await verifyRunner(real.runnerDir);
  await verifyToken(real, io);
}

async function verifyRunner(runnerDir: string): Promise<void> {
  try {
    await access(join(runnerDir, 'run.sh'), constants.X_OK);
  } catch (cause) {
    throw new ConfigError(
      `BATON_RUNNER_DIR is ${runnerDir}, where no run.sh can be run: download actions/runner from https://github.com/actions/runner/releases, unpack it, and set BATON_RUNNER_DIR to its folder`,
      { cause },
    );
  }
}

async function verifyToken({ configUrl, token }: RealGitHub, io: Io): Promise<void> {
  const { clock, random, stop } = io;
  const transport = new GitHubTransport({
    clock,
    random,
    log: silentLogger(),
    identity: { system: 'baton', version: '0.1.0', commitSha: '', subsystem: 'stack' },
  });
  try {
    const credential = { kind: 'pat' as const, token, hosts: [configUrl.host] };
    const source = new TokenSources(transport).get(configUrl, credential);
    const what = `log in to ${configUrl.host}`;
    await withDeadline({ clock, timeoutMs: preflightTimeoutMs, what, signal: stop }, (signal) =>
      source.connection(signal),
    );
  } catch (error) {
    stop.throwIfAborted();
    throw explainPreflight(error, configUrl);
  } finally {
    await transport.close();
  }
}

function explainPreflight(error: unknown, { host }: ConfigUrl): unknown {
  if (!(error instanceof Error) || error instanceof ConfigError) return error;
  if (isGitHubError(error, 'unauthorized', 'forbidden', 'not-found')) {
    return new Refusal(error.message, exitCodes.config, { cause: error });
  }
  return new Refusal(
    `${error.message}; check BATON_GITHUB_CONFIG_URL and that ${host} can be reached from here`,
    exitCodes.unavailable,
    { cause: error },
  );
}
