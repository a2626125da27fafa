import { loadConfig, milliseconds, serviceVariables } from '@baton/shared/config';
import { ConfigError } from '@baton/shared/errors';
import { z } from 'zod';
import { defaultOpeningPolicy, type OpeningPolicy } from './core/decide-session-step.ts';

const { conflictEarly, conflictEarlyMs, conflictLate, unavailable, replacementMaxMs } =
  defaultOpeningPolicy;

const variables = {
  ...serviceVariables,
  leaseTtlMs: {
    variable: 'BATON_LEASE_TTL_MS',
    schema: milliseconds(10_000, 5_000).describe('life of a lease without renewal, ms'),
  },
  weight: {
    variable: 'BATON_LISTENER_WEIGHT',
    schema: z.coerce
      .number({ error: 'is not a number; allowed is a number above 0' })
      .positive({ error: ({ input }) => `is ${String(input)}; allowed is a number above 0` })
      .default(1)
      .describe('how many of the scale sets this listener should have, compared to others'),
  },
  rebalanceAfterMs: {
    variable: 'BATON_REBALANCE_AFTER_MS',
    schema: milliseconds(60_000, 0).describe(
      'how long a listener must have lived before scale sets move to it, ms',
    ),
  },
  conflictBaseMs: {
    variable: 'BATON_SESSION_CONFLICT_BASE_MS',
    schema: milliseconds(conflictEarly.baseMs, 250).describe(
      'longest first wait when GitHub says that a session is active, ms; it doubles from there. A refused attempt does not prolong the old session, so it may be short',
    ),
  },
  conflictMaxMs: {
    variable: 'BATON_SESSION_CONFLICT_MAX_MS',
    schema: milliseconds(conflictEarly.maxMs, 250).describe(
      'longest wait between two attempts while a dead session is expected to be freed, ms: what is lost at most after GitHub has freed it',
    ),
  },
  conflictEarlyMs: {
    variable: 'BATON_SESSION_CONFLICT_EARLY_MS',
    schema: milliseconds(conflictEarlyMs, 1_000).describe(
      'how long a dead session is expected to be freed, ms; then the scale set counts as conflicted. GitHub was measured to take 60 to 92 s: twice that',
    ),
  },
  conflictLateMaxMs: {
    variable: 'BATON_SESSION_CONFLICT_LATE_MAX_MS',
    schema: milliseconds(conflictLate.maxMs, 1_000).describe(
      'longest wait between two attempts after that, ms: somebody else lives on the session',
    ),
  },
  githubRetryMaxMs: {
    variable: 'BATON_GITHUB_RETRY_MAX_MS',
    schema: milliseconds(unavailable.maxMs, 250).describe(
      'longest wait between two attempts to open a session while GitHub is unavailable, ms',
    ),
  },
  sessionReplaceMaxMs: {
    variable: 'BATON_SESSION_REPLACE_MAX_MS',
    schema: milliseconds(replacementMaxMs, 250).describe(
      'longest pause before a session that GitHub ends again and again is replaced, ms',
    ),
  },
};

/** The first must not be above the second. */
const ratios = [
  ['conflictBaseMs', 'conflictMaxMs'],
  ['conflictMaxMs', 'conflictEarlyMs'],
  ['conflictMaxMs', 'conflictLateMaxMs'],
] as const;

export type ListenerConfig = ReturnType<typeof loadListenerConfig>;

/** @throws ConfigError that names every variable that is missing, wrong, or does not fit another. */
export function loadListenerConfig(env: Record<string, string | undefined>) {
  const config = loadConfig(variables, env);
  const problems = ratios.filter(([less, more]) => config[less] > config[more]);
  if (problems.length === 0) return config;
  const lines = problems.map(
    ([less, more]) =>
      `  ${variables[less].variable}: must not be above ${variables[more].variable} (${config[less]} > ${config[more]})`,
  );
  throw new ConfigError(`the configuration cannot be used:\n${lines.join('\n')}`);
}

type Waits = Pick<
  ListenerConfig,
  | 'conflictBaseMs'
  | 'conflictMaxMs'
  | 'conflictEarlyMs'
  | 'conflictLateMaxMs'
  | 'githubRetryMaxMs'
  | 'sessionReplaceMaxMs'
>;

/** How long to wait for a session, as configured. Every wait is jittered, down to half its first value. */
export function openingPolicy(config: Waits): OpeningPolicy {
  const { conflictBaseMs: baseMs, conflictMaxMs: maxMs, conflictLateMaxMs } = config;
  const { minMs: lateMinMs, baseMs: lateBaseMs } = conflictLate;
  return {
    unavailable: { ...unavailable, maxMs: config.githubRetryMaxMs },
    conflictEarly: { baseMs, maxMs, minMs: Math.ceil(baseMs / 2) },
    conflictEarlyMs: config.conflictEarlyMs,
    conflictLate: {
      baseMs: Math.min(lateBaseMs, conflictLateMaxMs),
      maxMs: conflictLateMaxMs,
      minMs: Math.min(lateMinMs ?? 0, conflictLateMaxMs),
    },
    replacementMaxMs: config.sessionReplaceMaxMs,
  };
}
