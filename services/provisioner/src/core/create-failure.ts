import { ProviderError, type ProviderErrorClass } from '@baton/providers';
import { type GitHubErrorKind, isGitHubError } from '@baton/scaleset';
import { AppError, errorText } from '@baton/shared/errors';
import { type BackoffPolicy, backoffMs, type Random } from '@baton/shared/retry';

/**
 * How far a create was: before GitHub had been asked for a JIT config, while it was asked, or with a
 * config that is used up from then on, whatever happens.
 */
export type CreateStage = 'before' | 'mint' | 'create';

/** What went wrong, as it stands in records: a word for code, and a text for people. */
export interface CreateFailure {
  class: string;
  text: string;
}

/** What follows from it. */
export type CreateVerdict =
  /** Nothing was made and no JIT config given: the same runner, later. */
  | { kind: 'postpone'; policy: BackoffPolicy; retryAfterMs?: number }
  /** The name is taken: the same runner under another name, now. */
  | { kind: 'rename' }
  /** The runner is given up; the plan replaces it under a new name when its back-off is over. */
  | { kind: 'fail' };

export interface JudgedFailure {
  failure: CreateFailure;
  verdict: CreateVerdict;
  /** The provider fails, for whoever asks: its breaker counts that. */
  blamesProvider: boolean;
}

/** Trouble that ends by itself: asked for again within half a minute of its end. */
const passing: BackoffPolicy = { baseMs: 5_000, maxMs: 30_000, minMs: 2_500 };
/** Somebody has to change something first, and wants to see the effect within a minute. */
const blocked: BackoffPolicy = { baseMs: 15_000, maxMs: 60_000, minMs: 7_500 };

/** Room comes back when a runner ends: soon, and without a word. */
const full: BackoffPolicy = { baseMs: 1_000, maxMs: 15_000, minMs: 500 };

type MintRule = 'rename' | 'fail' | { policy: BackoffPolicy };

/** What GitHub's refusals of a JIT config mean. */
const mintRules: Readonly<Record<GitHubErrorKind, MintRule>> = {
  'runner-exists': 'rename',
  'rate-limited': { policy: passing },
  unavailable: { policy: passing },
  degraded: { policy: passing },
  // The listener registers it again.
  'scale-set-not-found': { policy: passing },
  unauthorized: { policy: blocked },
  forbidden: { policy: blocked },
  'not-found': { policy: blocked },
  refused: 'fail',
  'scale-set-exists': 'fail',
  'session-conflict': 'fail',
  'session-gone': 'fail',
  'runner-not-found': 'fail',
  'job-still-running': 'fail',
};

interface ProviderRule {
  blamesProvider: boolean;
  /** An instance may run all the same, and its runner may have taken a job. */
  mayHaveStarted: boolean;
}

/**
 * What a provider's failures mean. `timeout` and `unexpected` are ours for what it did not say. A create is
 * several calls for most of them: no room or no right for the second one leaves what the first one made.
 */
const providerRules: Readonly<Record<ProviderErrorClass | 'timeout' | 'unexpected', ProviderRule>> =
  {
    quota: { blamesProvider: false, mayHaveStarted: true },
    'not-found': { blamesProvider: false, mayHaveStarted: false },
    image: { blamesProvider: false, mayHaveStarted: false },
    'invalid-settings': { blamesProvider: false, mayHaveStarted: false },
    denied: { blamesProvider: true, mayHaveStarted: true },
    transient: { blamesProvider: true, mayHaveStarted: true },
    timeout: { blamesProvider: true, mayHaveStarted: true },
    unexpected: { blamesProvider: true, mayHaveStarted: true },
    bug: { blamesProvider: false, mayHaveStarted: true },
  };

/** A creator that ended says nothing about what it had done; a bootstrap that failed may be tried again. */
const startedInTheDark: ReadonlySet<string> = new Set(['interrupted', 'bootstrap-failed']);

/** What became of a create, and what follows. Pure. */
export function judgeCreateFailure(error: unknown, stage: CreateStage): JudgedFailure {
  return stage === 'mint' ? judgeMint(error) : judgeProvider(error, stage);
}

/** When a create that was put off `count` times before is tried again, in ms from now. Pure. */
export function postponedForMs(
  { policy, retryAfterMs }: CreateVerdict & { kind: 'postpone' },
  count: number,
  random: Random,
): number {
  return Math.max(retryAfterMs ?? 0, backoffMs(count, policy, random));
}

/** Whether a runner that failed so may have come up all the same: GitHub knows whether it took a job. */
export function mayHaveStarted(failureClass: string): boolean {
  if (startedInTheDark.has(failureClass)) return true;
  return providerRuleOf(failureClass)?.mayHaveStarted ?? false;
}

function judgeMint(error: unknown): JudgedFailure {
  const failure = failureOf(error);
  const verdict = mintVerdict(error);
  return { failure, verdict, blamesProvider: false };
}

function mintVerdict(error: unknown): CreateVerdict {
  if (isGitHubError(error)) {
    const rule = mintRules[error.kind];
    if (rule === 'rename' || rule === 'fail') return { kind: rule };
    const { retryAfterMs } = error;
    return { kind: 'postpone', ...rule, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
  if (!(error instanceof AppError)) return { kind: 'fail' };
  // A credential that is not in the service's file yet, or one whose file is being changed.
  if (error.code === 'config') return { kind: 'postpone', policy: blocked };
  return error.retryable ? { kind: 'postpone', policy: passing } : { kind: 'fail' };
}

function judgeProvider(error: unknown, stage: 'before' | 'create'): JudgedFailure {
  const failure = failureOf(error);
  const rule = providerRuleOf(failure.class);
  const verdict: CreateVerdict =
    stage === 'before'
      ? { kind: 'postpone', policy: failure.class === 'quota' ? full : passing }
      : { kind: 'fail' };
  return { failure, verdict, blamesProvider: rule?.blamesProvider ?? false };
}

function providerRuleOf(failureClass: string): ProviderRule | undefined {
  return new Map<string, ProviderRule>(Object.entries(providerRules)).get(failureClass);
}

function failureOf(error: unknown): CreateFailure {
  if (error instanceof ProviderError) return { class: error.class, text: error.message };
  if (isGitHubError(error)) return { class: error.kind, text: error.message };
  const code = error instanceof AppError ? error.code : 'unexpected';
  return { class: code, text: errorText(error) };
}
