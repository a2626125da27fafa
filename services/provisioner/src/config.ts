import {
  loadConfig,
  milliseconds,
  providerVariables,
  serviceVariables,
  wholeNumber,
} from '@baton/shared/config';
import { bootstrapVariables } from './bootstrap/config.ts';

const variables = {
  ...serviceVariables,
  ...providerVariables,
  ...bootstrapVariables,
  createConcurrency: {
    variable: 'BATON_CREATE_CONCURRENCY',
    schema: wholeNumber({ default: 20, min: 1, max: 1_000 }),
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
