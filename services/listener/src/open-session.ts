import { isGitHubError, type ScaleSetClient, type Session } from '@baton/scaleset';
import { AppError } from '@baton/shared/errors';
import type { Lease } from '@baton/shared/lease';
import type { Random } from '@baton/shared/retry';
import type { Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import {
  decideSessionStep,
  type OpeningPolicy,
  type OpeningState,
  type SessionAnswer,
  type SessionStep,
} from './core/decide-session-step.ts';
import { CallTimer, createSession } from './create-session.ts';
import { CallSpans } from './opening-trace.ts';
import type { SessionClaim } from './session-claim.ts';

interface OpeningDeps {
  client: ScaleSetClient;
  claim: SessionClaim;
  lease: Lease;
  clock: Clock;
  random: Random;
  policy: OpeningPolicy;
  log: Logger;
  /** Ends the wait for a session. Calls under way are finished, so that no session is left unknown. */
  cancel: AbortSignal;
  /** Ends calls too: the drain budget is nearly used up. */
  abort: AbortSignal;
  /** Told about every attempt that did not get the session. */
  onWait: (wait: OpeningWait) => void;
}

export interface OpeningWait {
  answer: SessionAnswer;
  /** Why, in GitHub's words. */
  text: string;
  ownerText: string | undefined;
  attempts: number;
  /** For how long the conflict has lasted, in ms; 0 when it is none. */
  conflictMs: number;
  nextAttemptInMs: number;
}

export interface Opened {
  session: Session;
  how: 'resumed' | 'taken over' | 'created' | 'waited out';
  /** The session of the record had to be replaced; undefined when it was resumed, or there was none. */
  replaced: 'gone' | 'refused' | undefined;
  /** How long GitHub took to answer the call that got it, in ms. */
  openingMs: number;
}

interface OpeningTarget {
  githubScaleSetId: number;
  /** Told to GitHub as the session's owner. */
  ownerName: string;
}

interface Attempt {
  answer: SessionAnswer;
  session?: Session;
  text: string;
  ownerText?: string | undefined;
  error?: unknown;
}

/**
 * Gets the message session of a scale set, however long that takes. Every call to GitHub is
 * preceded by a renewal of the lease that completed after the decision to make it.
 * @throws GitHubApiError `scale-set-not-found`, or what GitHub refuses us with again and again; the reason of
 * `cancel` or of a lost lease; ConfigError when the credential cannot be used.
 */
export async function openSession(deps: OpeningDeps, target: OpeningTarget): Promise<Opened> {
  const spans = new CallSpans();
  try {
    const opened = await keepAsking(deps, target, spans);
    spans.end();
    return opened;
  } catch (error) {
    spans.end(error);
    throw error;
  }
}

async function keepAsking(
  deps: OpeningDeps,
  target: OpeningTarget,
  spans: CallSpans,
): Promise<Opened> {
  const { claim, lease, clock, random, policy } = deps;
  const history: History = {
    recorded: claim.record.session !== undefined,
    last: undefined,
    conflicts: 0,
    conflictMs: 0,
    failures: 0,
    replaced: undefined,
    deleted: false,
    conflictSince: undefined,
  };
  let step = decideSessionStep(history, policy, random);
  for (;;) {
    if (step.kind !== 'call') throw new AppError('unexpected', 'there is nothing to ask GitHub');
    await clock.sleep(step.afterMs, AbortSignal.any([lease.signal, deps.cancel]));
    await renewForCall(deps);
    const timer = new CallTimer(clock);
    const { call } = step;
    const attempt = await spans.during(call, () => tryCall(deps, target, { call, timer }));
    if (attempt.session) {
      const how = howOpened(call, history);
      const { replaced, conflicts } = history;
      deps.log.info({ how, replaced, conflicts }, 'session open');
      return { session: attempt.session, how, replaced, openingMs: timer.tookMs };
    }
    spans.answered(attempt.answer.result);
    remember(history, attempt.answer, clock.monotonic());
    step = decideSessionStep(history, policy, random);
    reportWait(deps, history, attempt, step);
    if (step.kind === 'give up') throw attempt.error;
  }
}

/** What was tried so far. */
interface History extends OpeningState {
  replaced: Opened['replaced'];
  deleted: boolean;
  /** Monotonic time of the first conflict. */
  conflictSince: number | undefined;
}

function remember(history: History, answer: SessionAnswer, now: number): void {
  const { call, result } = answer;
  history.deleted ||= call === 'delete';
  if (result === 'gone' || result === 'refused') history.replaced ??= result;
  if (result === 'conflict') {
    history.conflictSince ??= now;
    history.conflicts += 1;
    history.conflictMs = now - history.conflictSince;
  }
  const failed = result === 'unavailable' || result === 'denied';
  history.failures = failed ? history.failures + 1 : 0;
  history.last = answer;
}

function reportWait(
  deps: OpeningDeps,
  history: History,
  attempt: Attempt,
  next: SessionStep,
): void {
  const { answer, text, ownerText } = attempt;
  const { conflicts, failures, conflictMs } = history;
  deps.log.info({ call: answer.call, result: answer.result, text }, 'session step');
  if (!['conflict', 'unavailable', 'denied'].includes(answer.result)) return;
  deps.onWait({
    answer,
    text,
    ownerText,
    attempts: conflicts + failures,
    conflictMs: answer.result === 'conflict' ? conflictMs : 0,
    nextAttemptInMs: next.kind === 'call' ? next.afterMs : 0,
  });
}

function howOpened(call: SessionAnswer['call'], { conflicts, deleted }: History): Opened['how'] {
  if (call === 'resume') return 'resumed';
  if (conflicts > 0) return 'waited out';
  return deleted ? 'taken over' : 'created';
}

/** The lease as of now; NATS being away is waited out until the lease itself ends. */
async function renewForCall({ lease, clock, cancel }: OpeningDeps): Promise<void> {
  for (;;) {
    try {
      await lease.renew();
      return;
    } catch (error) {
      lease.signal.throwIfAborted();
      if (!(error instanceof AppError && error.code === 'nats')) throw error;
      await clock.sleep(200, AbortSignal.any([lease.signal, cancel]));
    }
  }
}

async function tryCall(
  deps: OpeningDeps,
  target: OpeningTarget,
  { call, timer }: { call: SessionAnswer['call']; timer: CallTimer },
): Promise<Attempt> {
  const { client, claim, lease } = deps;
  const { githubScaleSetId } = target;
  const sessionId = claim.record.session?.sessionId ?? '';
  const options = { signal: AbortSignal.any([lease.signal, deps.abort]) };
  try {
    if (call === 'delete') {
      await client.deleteSession(githubScaleSetId, sessionId, options);
      return { answer: { call, result: 'done' }, text: 'deleted' };
    }
    const { onSend, onAnswer } = timer;
    if (call === 'create') {
      const session = await createSession(deps, target, timer);
      return { answer: { call, result: 'done' }, session, text: 'open' };
    }
    const session = await client.refreshSession(githubScaleSetId, sessionId, {
      ...options,
      onSend,
    });
    onAnswer();
    return { answer: { call, result: 'done' }, session, text: 'open' };
  } catch (error) {
    options.signal.throwIfAborted();
    return readFailure(call, error);
  }
}

function readFailure(call: SessionAnswer['call'], error: unknown): Attempt {
  if (!isGitHubError(error) || error.kind === 'scale-set-not-found') throw error;
  const { retryAfterMs, ownerText, message: text } = error;
  if (call === 'create' && error.kind === 'session-conflict') {
    return { answer: { call, result: 'conflict', retryAfterMs }, text, ownerText };
  }
  if (call !== 'create' && error.kind === 'session-gone') {
    return { answer: { call, result: 'gone' }, text };
  }
  if (error.retryable) return { answer: { call, result: 'unavailable', retryAfterMs }, text };
  if (call === 'create' || error.kind === 'unauthorized') {
    return { answer: { call, result: 'denied' }, text, error };
  }
  return { answer: { call, result: 'refused' }, text };
}
