import type { SimControl } from '@baton/github-sim';
import { loadConfig, natsVariables } from '@baton/shared/config';
import { AppError } from '@baton/shared/errors';
import { connectNats, type Nats } from '@baton/shared/messaging';
import { silentLogger } from '@baton/shared/telemetry';
import { LocalStack, type StackOptions } from '@baton/stack';
import type { BenchContext } from './context.ts';

type Wanted = Pick<StackOptions, 'services'> &
  Partial<
    Pick<
      StackOptions,
      'maxInstances' | 'serviceEnv' | 'programs' | 'keepLogsIn' | 'ownTokens' | 'simulatedRunner'
    >
  > & {
    simulatorArgs: readonly string[];
  };

/** In ms, as in production. */
export const leaseTtlMs = 10_000;

/** The token of GitHub that the simulator accepts. */
export const simToken = 'sim-token';

/** A stack against the simulator. */
export async function startStack(
  { env, say, signal }: BenchContext,
  { simulatorArgs, maxInstances = 50, serviceEnv = {}, ...wanted }: Wanted,
): Promise<LocalStack> {
  return await LocalStack.start({
    ...wanted,
    env,
    github: { kind: 'simulator', args: simulatorArgs },
    maxInstances,
    leaseTtlMs,
    serviceEnv,
    say,
    signal,
  });
}

export function simulatorOf({ sim }: LocalStack): SimControl {
  if (!sim) throw new AppError('unexpected', 'the stack has no simulator');
  return sim;
}

/** Where the simulator answers at once. */
export function healthUrlOf({ configUrl }: LocalStack): string {
  return new URL('/_sim/healthz', configUrl).href;
}

/** A connection as the command line's user. To be disposed of. */
export async function connectAsCli(stack: LocalStack, { clock }: BenchContext): Promise<Nats> {
  const settings = loadConfig(natsVariables, stack.variablesOf('cli'));
  return await connectNats({ ...settings, name: 'bench', log: silentLogger(), clock });
}
