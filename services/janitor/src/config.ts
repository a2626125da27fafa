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
  deleteConcurrency: {
    variable: 'BATON_DELETE_CONCURRENCY',
    schema: wholeNumber({ default: 50, min: 1, max: 1_000 }),
  },
  deleteTimeoutMs: {
    variable: 'BATON_DELETE_TIMEOUT_MS',
    schema: milliseconds(60_000, 1_000).describe('longest time to delete an instance, ms'),
  },
  deregisterDeadlineMs: {
    variable: 'BATON_DEREGISTER_DEADLINE_MS',
    schema: milliseconds(3_600_000, 1_000).describe(
      'how long GitHub may refuse to let go of a runner whose instance is gone, ms',
    ),
  },
  lostDeadlineMs: {
    variable: 'BATON_LOST_DEADLINE_MS',
    schema: milliseconds(900_000, 1_000).describe(
      'how long GitHub is believed when it says that a lost runner is busy, ms',
    ),
  },
  passEveryMs: {
    variable: 'BATON_PASS_EVERY_MS',
    schema: milliseconds(3_000, 500).describe('time between two passes over marked runners, ms'),
  },
};

export type JanitorConfig = ReturnType<typeof loadJanitorConfig>;

export function loadJanitorConfig(env: Record<string, string | undefined>) {
  return loadConfig(variables, env);
}
