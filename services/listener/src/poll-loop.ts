import {
  type GitHubApiError,
  isGitHubError,
  type MessageQueueClient,
  type QueueMessage,
} from '@baton/scaleset';
import type { Secret } from '@baton/shared/config';
import { AppError } from '@baton/shared/errors';
import { backoffMs, type Random } from '@baton/shared/retry';
import {
  attributes,
  type Logger,
  type Span,
  type SpanAttributes,
  startSpan,
  withinSpan,
} from '@baton/shared/telemetry';
import { type Clock, isAborted, notNeeded } from '@baton/shared/time';
import type { CapacityWatch } from './capacity-watch.ts';
import { emptyMs } from './core/backlog-limits.ts';
import type { LiveSession } from './live-session.ts';
import { pollInterruption } from './poll-interruption.ts';
import type { StepWatch } from './step-watch.ts';

interface PollDeps {
  queue: MessageQueueClient;
  session: LiveSession;
  capacity: CapacityWatch;
  clock: Clock;
  random: Random;
  log: Logger;
  /** What its spans say of all its polls. */
  traced?: SpanAttributes;
  /** Told about every step of the loop. */
  steps: StepWatch;
  /** How long one step may take: longer than the deadline of a poll or of a refresh, in ms. */
  stepMs: number;
}

interface PollHandlers {
  /** Takes a message, with the span of its poll active; resolves when there is room for another one. */
  onMessage: (message: QueueMessage) => Promise<void>;
  /** GitHub has been holding a poll for `heldMs`, or has held it until it ended without a message. */
  onHeld: () => void;
  heldMs: number;
  /** A poll was held and ended without a message: all that is undeleted has been delivered. */
  onEmpty: () => void;
  onPollEnd: () => void;
  /** A poll ended without an answer that could be used; `kind` is the error's. */
  onPollFailure?: (kind: string) => void;
}

const failurePolicy = { baseMs: 250, maxMs: 30_000, minMs: 50 };
/** A refused poll whose session cannot be asked about, as NATS is away, is tried again so soon, in ms. */
const natsRetryMs = 500;
/**
 * Between polls that come back empty at once, in ms: some servers and proxies do not hold them; and
 * between polls that a changed capacity ends.
 */
const pollFloorMs = 150;
/**
 * After this time without a message everything undeleted is read again, in ms: after one poll that
 * GitHub held to its end. What was handled is deleted, so that costs nothing, and an id sequence that
 * began anew is noticed within two polls.
 */
const rereadMs = 45_000;

/** Answers after which the session is asked about. */
const refusedKinds: ReadonlySet<string> = new Set([
  'unauthorized',
  'not-found',
  'forbidden',
  'refused',
]);
/** After so many failures in a row too: the queue may have moved. */
const patienceCount = 8;

/** What a poll brought: a message, nothing, or a capacity that changed in the meantime. */
type PollResult = QueueMessage | 'interrupted' | undefined;

/**
 * Polls the message queue until `signal` is aborted. Outages, empty and broken answers keep the
 * session and the position. The position lives here only and starts at 0, which means "everything
 * undeleted": what was handled is deleted, and a restarted id sequence is simply read.
 * @throws GitHubApiError `session-gone` or `scale-set-not-found`: the session must be opened anew.
 */
export async function pollLoop(
  deps: PollDeps,
  handlers: PollHandlers,
  signal: AbortSignal,
): Promise<void> {
  const { clock, steps, stepMs } = deps;
  const position = new Position(clock);
  const failures: Failures = { count: 0, refusals: 0 };
  while (!signal.aborted) {
    const startedAt = clock.monotonic();
    const span = startPollSpan(deps);
    const { token } = deps.session.queue;
    steps.begin(stepMs);
    try {
      const result = await pollOnce(deps, handlers, position.current, signal);
      Object.assign(failures, { count: 0, refusals: 0 });
      const heldForMs = clock.monotonic() - startedAt;
      // Room comes when NATS and GitHub take what is in flight; their outages end the lease.
      steps.rest();
      if (result && result !== 'interrupted') {
        position.pass(result);
        endPollSpan(span, result, clock.now());
        await withinSpan(span, () => handlers.onMessage(result));
      } else {
        if (result === undefined) tellEmpty(handlers, heldForMs);
        position.rereadIfQuiet();
      }
      handlers.onPollEnd();
      if (comesAgain(result) && heldForMs < pollFloorMs) {
        await clock.sleep(pollFloorMs - heldForMs, signal);
      }
    } catch (error) {
      if (isAborted(signal)) return;
      await pauseAfter(deps, handlers, { error, token, failures, signal });
    }
  }
}

/** A root, told only if it is ended: polls without a message would drown the others. */
function startPollSpan({ clock, traced }: PollDeps): Span {
  return startSpan('poll', {
    kind: 'consumer',
    parent: null,
    startedAt: clock.now(),
    attributes: {
      ...traced,
      [attributes.messagingSystem]: 'github',
      [attributes.messagingOperation]: 'poll',
      [attributes.messagingOperationType]: 'receive',
    },
  });
}

function endPollSpan(span: Span, message: QueueMessage, now: number): void {
  span.set({
    [attributes.messageId]: message.messageId,
    [attributes.jobs]: message.kind === 'jobs' ? message.jobs.length : undefined,
  });
  span.end(now);
}

/** The id of the last message that was passed. */
class Position {
  readonly #clock: Clock;
  #id = '0';
  #movedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#movedAt = clock.monotonic();
  }

  get current(): string {
    return this.#id;
  }

  pass({ messageId }: QueueMessage): void {
    this.#id = messageId ?? this.#id;
    this.#movedAt = this.#clock.monotonic();
  }

  rereadIfQuiet(): void {
    if (this.#clock.monotonic() - this.#movedAt <= rereadMs) return;
    this.#id = '0';
    this.#movedAt = this.#clock.monotonic();
  }
}

/** A poll ended without a message. */
function tellEmpty({ heldMs, onHeld, onEmpty }: PollHandlers, heldForMs: number): void {
  if (heldForMs < emptyMs) return;
  if (heldForMs < heldMs) onHeld();
  onEmpty();
}

/** Nothing, or a message without an id, which can be neither passed nor deleted. */
function comesAgain(result: PollResult): boolean {
  return result === 'interrupted' || result?.messageId === undefined;
}

async function pollOnce(
  deps: PollDeps,
  { onHeld, heldMs }: PollHandlers,
  lastMessageId: string,
  signal: AbortSignal,
): Promise<PollResult> {
  const { queue, session, clock } = deps;
  const maxCapacity = deps.capacity.current;
  const answered = new AbortController();
  const interrupted = pollInterruption(deps, maxCapacity, answered.signal);
  void clock.sleep(heldMs, answered.signal).then(onHeld, () => undefined);
  try {
    return await queue.getMessage({
      ...session.queue,
      lastMessageId,
      maxCapacity,
      signal: AbortSignal.any([signal, interrupted]),
    });
  } catch (error) {
    if (interrupted.aborted && !signal.aborted) return 'interrupted';
    throw error;
  } finally {
    answered.abort(notNeeded);
  }
}

/** In a row. */
interface Failures {
  count: number;
  /** Polls that were refused though the session lives and its token is new. */
  refusals: number;
}

interface PollFailure {
  error: unknown;
  /** What the poll was made with; another call may have replaced it in the meantime. */
  token: Secret;
  /** Those before this one; counts it afterwards. */
  failures: Failures;
}

/** Waits before the next poll; rethrows what ends the loop. */
async function pauseAfter(
  deps: PollDeps,
  { onPollFailure }: PollHandlers,
  { signal, ...failure }: PollFailure & { signal: AbortSignal },
): Promise<void> {
  const { error, failures } = failure;
  const { clock, log, steps, stepMs } = deps;
  steps.begin(stepMs);
  const { count } = failures;
  const waitMs = await recover(deps, failure);
  failures.count += 1;
  if (isGitHubError(error)) onPollFailure?.(error.kind);
  log.warn(
    { err: error, waitMs: Math.round(waitMs), failures: count },
    'poll failed, session and position are kept',
  );
  steps.begin(waitMs + stepMs);
  await clock.sleep(waitMs, signal).catch(() => undefined);
}

/** What to do about a failed poll: the wait before the next one, in ms; rethrows what ends it. */
async function recover(deps: PollDeps, { error, token, failures }: PollFailure): Promise<number> {
  if (!isGitHubError(error)) throw error;
  if (error.kind === 'session-gone' || error.kind === 'scale-set-not-found') throw error;
  const backoff = backoffMs(failures.count, failurePolicy, deps.random);
  const waitMs = Math.max(backoff, error.retryAfterMs ?? 0);
  if (!doubtsSession(error, failures.count)) return waitMs;
  const session = await renewToken(deps, token);
  if (!isRefusal(error) || session === 'unknown') return waitMs;
  if (session === 'nats away') return Math.min(backoff, natsRetryMs);
  // GitHub answers, so whatever failed before is over; a second refusal is about something else.
  const refusals = failures.refusals++;
  failures.count = 0;
  if (refusals === 0 && error.kind === 'unauthorized') return 0;
  return backoffMs(refusals, failurePolicy, deps.random);
}

/** What asking about the session with a refresh tells; rethrows what ends the loop. */
async function renewToken(
  { session }: PollDeps,
  token: Secret,
): Promise<'lives' | 'nats away' | 'unknown'> {
  try {
    await session.refresh(token);
    return 'lives';
  } catch (error) {
    if (isGitHubError(error, 'session-gone', 'scale-set-not-found')) throw error;
    return error instanceof AppError && error.code === 'nats' ? 'nats away' : 'unknown';
  }
}

/** A refusal may mean that the session, its token or its queue is not what it was; so may long trouble. */
function doubtsSession(error: GitHubApiError, failures: number): boolean {
  return isRefusal(error) || failures % patienceCount === patienceCount - 1;
}

function isRefusal({ kind }: GitHubApiError): boolean {
  return refusedKinds.has(kind);
}
