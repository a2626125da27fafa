import { type BackoffPolicy, backoffMs, type Random } from '@baton/shared/retry';

/** How a session can be got, each with what GitHub answered when it was last tried. */
export type SessionAnswer =
  | { call: 'resume' | 'delete' | 'create'; result: 'done' }
  /** The session, or what it belonged to, does not exist any more. */
  | { call: 'resume' | 'delete'; result: 'gone' }
  /** GitHub refused for a reason that trying the same again will not change. */
  | { call: 'resume' | 'delete'; result: 'refused' }
  /** GitHub refuses us: the credential, or a call it should take. */
  | { call: 'resume' | 'delete' | 'create'; result: 'denied' }
  /** The scale set has an active session that is not in our record, or was said to be gone. */
  | { call: 'create'; result: 'conflict'; retryAfterMs?: number | undefined }
  /** GitHub could not be asked, or could not answer. */
  | {
      call: 'resume' | 'delete' | 'create';
      result: 'unavailable';
      retryAfterMs?: number | undefined;
    };

export type SessionStep =
  | { kind: 'call'; call: 'resume' | 'delete' | 'create'; afterMs: number }
  | { kind: 'open' }
  /** Trying on helps nobody: somebody has to change something first. */
  | { kind: 'give up' };

export interface OpeningState {
  /** The session record holds a session of ours. */
  recorded: boolean;
  last: SessionAnswer | undefined;
  /** Conflicts in a row, and for how long they have lasted, in ms. */
  conflicts: number;
  conflictMs: number;
  /** Unavailable or denied answers in a row. */
  failures: number;
}

export interface OpeningPolicy {
  unavailable: BackoffPolicy;
  /**
   * While a dead session is expected to be freed: GitHub was measured to do that after 60 to 92 s,
   * and a refused attempt does not prolong it. The cap keeps the wait after that below ten seconds.
   */
  conflictEarly: BackoffPolicy;
  /** How long `conflictEarly` holds, and when the scale set counts as conflicted, in ms. */
  conflictEarlyMs: number;
  /** Later: somebody else lives on that session, or GitHub has an incident. */
  conflictLate: BackoffPolicy;
  /** The longest pause before a session that ends again and again is replaced, in ms. */
  replacementMaxMs: number;
}

/** GitHub was seen to refuse what it takes a moment later; this often in a row is meant. */
const deniedAttempts = 3;

export const defaultOpeningPolicy: OpeningPolicy = {
  unavailable: { baseMs: 250, maxMs: 30_000, minMs: 100 },
  conflictEarly: { baseMs: 2_000, maxMs: 8_000, minMs: 1_000 },
  conflictEarlyMs: 180_000,
  conflictLate: { baseMs: 10_000, maxMs: 300_000, minMs: 5_000 },
  replacementMaxMs: 30_000,
};

/**
 * What to do next to get a session: resume the recorded one, take it over (delete, then create),
 * create, or wait the stale one out. Pure.
 */
export function decideSessionStep(
  state: OpeningState,
  policy: OpeningPolicy,
  random: Random,
): SessionStep {
  const { last } = state;
  if (!last) return call(state.recorded ? 'resume' : 'create');
  switch (last.result) {
    case 'done':
      return last.call === 'delete' ? call('create') : { kind: 'open' };
    case 'gone':
      return call('create');
    case 'refused':
      return call(last.call === 'resume' ? 'delete' : 'create');
    case 'denied':
      if (state.failures >= deniedAttempts) return { kind: 'give up' };
      return call(last.call, backoffMs(state.failures - 1, policy.unavailable, random));
    case 'conflict':
      return call('create', Math.max(last.retryAfterMs ?? 0, conflictDelay(state, policy, random)));
    case 'unavailable': {
      const delayMs = backoffMs(state.failures - 1, policy.unavailable, random);
      return call(last.call, Math.max(last.retryAfterMs ?? 0, delayMs));
    }
  }
}

function conflictDelay(state: OpeningState, policy: OpeningPolicy, random: Random): number {
  if (state.conflictMs < policy.conflictEarlyMs) {
    return backoffMs(state.conflicts - 1, policy.conflictEarly, random);
  }
  // Doubling starts anew when the first phase is over; its attempts came about every five seconds.
  const lateAttempt = Math.floor(Math.log2(state.conflictMs / policy.conflictEarlyMs) + 1);
  return backoffMs(lateAttempt, policy.conflictLate, random);
}

function call(name: 'resume' | 'delete' | 'create', afterMs = 0): SessionStep {
  return { kind: 'call', call: name, afterMs };
}
