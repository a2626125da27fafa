import type { Deletion } from '@baton/shared/contracts';
import { backoffMs, type Random } from '@baton/shared/retry';
import { longestPauseMs, type Step } from './next-step.ts';

const retryPolicy = { baseMs: 2_000, maxMs: longestPauseMs, minMs: 1_000 };

export interface Failure {
  step: Step;
  text: string;
  nowMs: number;
  random: Random;
  /** Something else is decided then, so that it is tried again no later. */
  notAfterMs?: number | undefined;
}

/** The deletion after a step that failed: why, and when it is tried again. Pure. */
export function afterFailure(
  deletion: Deletion,
  { step, text, nowMs, random, notAfterMs = Number.POSITIVE_INFINITY }: Failure,
): Deletion {
  const laterMs = nowMs + backoffMs(deletion.attempts, retryPolicy, random);
  const retryMs = notAfterMs > nowMs ? Math.min(laterMs, notAfterMs) : laterMs;
  return {
    ...deletion,
    attempts: deletion.attempts + 1,
    retryAt: new Date(retryMs).toISOString(),
    failedStep: step,
    lastError: text,
  };
}
