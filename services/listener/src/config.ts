import { loadConfig, milliseconds, serviceVariables } from '@baton/shared/config';
import { z } from 'zod';

const variables = {
  ...serviceVariables,
  credentialsFile: {
    variable: 'BATON_CREDENTIALS_FILE',
    schema: z.string().min(1).describe('YAML file with the GitHub credentials, by name'),
  },
  leaseTtlMs: {
    variable: 'BATON_LEASE_TTL_MS',
    schema: milliseconds(10_000, 5_000).describe('life of a lease without renewal, ms'),
  },
};

export type ListenerConfig = ReturnType<typeof loadListenerConfig>;

export function loadListenerConfig(env: Record<string, string | undefined>) {
  return loadConfig(variables, env);
}
