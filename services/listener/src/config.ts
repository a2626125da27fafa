import { loadConfig, milliseconds, serviceVariables } from '@baton/shared/config';

const variables = {
  ...serviceVariables,
  leaseTtlMs: {
    variable: 'BATON_LEASE_TTL_MS',
    schema: milliseconds(10_000, 5_000).describe('life of a lease without renewal, ms'),
  },
};

export type ListenerConfig = ReturnType<typeof loadListenerConfig>;

export function loadListenerConfig(env: Record<string, string | undefined>) {
  return loadConfig(variables, env);
}
