import {
  loadConfig,
  milliseconds,
  providerVariables,
  serviceVariables,
  wholeNumber,
} from '@baton/shared/config';

const variables = {
  ...serviceVariables,
  ...providerVariables,
  createConcurrency: {
    variable: 'BATON_CREATE_CONCURRENCY',
    schema: wholeNumber({ default: 20, min: 1, max: 1_000 }),
  },
  createConcurrencyPerScaleSet: {
    variable: 'BATON_CREATE_CONCURRENCY_PER_SCALE_SET',
    schema: wholeNumber({ default: 15, min: 1, max: 1_000 }),
  },
  jitTimeoutMs: {
    variable: 'BATON_JIT_TIMEOUT_MS',
    schema: milliseconds(15_000, 1_000).describe(
      'longest time for GitHub to give a JIT config, ms',
    ),
  },
  createTimeoutMs: {
    variable: 'BATON_CREATE_TIMEOUT_MS',
    schema: milliseconds(60_000, 1_000).describe('longest time to create an instance, ms'),
  },
  passEveryMs: {
    variable: 'BATON_PASS_EVERY_MS',
    schema: milliseconds(5_000, 500).describe('time between two level-triggered passes, ms'),
  },
  githubLookEveryMs: {
    variable: 'BATON_GITHUB_LOOK_EVERY_MS',
    schema: milliseconds(60_000, 1_000).describe(
      "time between two looks at GitHub's list of runners while none is starting, ms",
    ),
  },
};

export type ProvisionerConfig = ReturnType<typeof loadProvisionerConfig>;

export function loadProvisionerConfig(env: Record<string, string | undefined>) {
  return loadConfig(variables, env);
}
