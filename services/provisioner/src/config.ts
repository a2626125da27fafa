import {
  loadConfig,
  milliseconds,
  providerVariables,
  serviceVariables,
} from '@baton/shared/config';
import { z } from 'zod';

const variables = {
  ...serviceVariables,
  ...providerVariables,
  createConcurrency: {
    variable: 'BATON_CREATE_CONCURRENCY',
    schema: z.coerce.number().int().min(1).max(1_000).default(20),
  },
  createTimeoutMs: {
    variable: 'BATON_CREATE_TIMEOUT_MS',
    schema: milliseconds(60_000, 1_000).describe('longest time to create an instance, ms'),
  },
  passEveryMs: {
    variable: 'BATON_PASS_EVERY_MS',
    schema: milliseconds(5_000, 500).describe('time between two level-triggered passes, ms'),
  },
};

export type ProvisionerConfig = ReturnType<typeof loadProvisionerConfig>;

export function loadProvisionerConfig(env: Record<string, string | undefined>) {
  return loadConfig(variables, env);
}
