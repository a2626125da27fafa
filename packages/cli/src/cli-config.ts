import { loadConfig, milliseconds, natsVariables } from '@baton/shared/config';
import { z } from 'zod';

const variables = {
  ...natsVariables,
  natsUser: {
    variable: natsVariables.natsUser.variable,
    schema: z.string().min(1).default('cli').describe('NATS user of the command line'),
  },
  natsConnectTimeoutMs: {
    variable: natsVariables.natsConnectTimeoutMs.variable,
    schema: milliseconds(5_000, 0).describe('how long the connection may take, ms'),
  },
  leaseTtlMs: {
    variable: 'BATON_LEASE_TTL_MS',
    schema: milliseconds(10_000, 2_000).describe('life of a lease without renewal, ms'),
  },
};

export type CliConfig = ReturnType<typeof loadCliConfig>;

export function loadCliConfig(env: Record<string, string | undefined>) {
  return loadConfig(variables, env);
}
