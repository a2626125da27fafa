import {
  loadConfig,
  milliseconds,
  providerVariables,
  serviceVariables,
  wholeNumber,
} from '@baton/shared/config';

const deletionVariables = {
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

const sweepVariables = {
  leaseTtlMs: {
    variable: 'BATON_LEASE_TTL_MS',
    schema: milliseconds(10_000, 2_000).describe('life of a lease without renewal, ms'),
  },
  sweepEveryMs: {
    variable: 'BATON_SWEEP_EVERY_MS',
    schema: milliseconds(60_000, 1_000).describe('time between two runs of a sweep, ms'),
  },
  githubSweepEveryMs: {
    variable: 'BATON_GITHUB_SWEEP_EVERY_MS',
    schema: milliseconds(300_000, 1_000).describe(
      "time between two runs of a sweep that needs GitHub's list of runners each time, ms",
    ),
  },
  sweepTimeoutMs: {
    variable: 'BATON_SWEEP_TIMEOUT_MS',
    schema: milliseconds(120_000, 1_000).describe(
      'longest time that a run of a sweep may take, ms',
    ),
  },
  orphanRegistrationMs: {
    variable: 'BATON_ORPHAN_REGISTRATION_MS',
    schema: milliseconds(600_000, 10_000).describe(
      'how long a registration without record and instance must be offline before it is removed; six times that where instances are on one host, ms',
    ),
  },
  sweepBatch: {
    variable: 'BATON_SWEEP_BATCH',
    schema: wholeNumber({ default: 500, min: 1, max: 10_000 }).describe(
      'how much of what a sweep found is done in one run',
    ),
  },
  sweepMax: {
    variable: 'BATON_SWEEP_MAX',
    schema: wholeNumber({ default: 10, min: 0, max: 10_000 }).describe(
      'a sweep may mark this many runners within an hour without being confirmed',
    ),
  },
  sweepShare: {
    variable: 'BATON_SWEEP_SHARE',
    schema: wholeNumber({ default: 30, min: 0, max: 100 }).describe(
      'or this share of those that it looked at, in percent',
    ),
  },
};

const variables = {
  ...deletionVariables,
  ...sweepVariables,
};

export type JanitorConfig = ReturnType<typeof loadJanitorConfig>;

/** What the sweeps need of it. */
export type SweepConfig = Pick<JanitorConfig, keyof typeof sweepVariables>;

export function loadJanitorConfig(env: Record<string, string | undefined>) {
  return loadConfig(variables, env);
}
