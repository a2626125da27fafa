import { isGitHubError, type MessageQueueClient, type QueueMessage } from '@baton/scaleset';
import { backoffMs, type Random } from '@baton/shared/retry';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isAborted } from '@baton/shared/time';
import type { CapacityWatch } from './capacity-watch.ts';
import type { LiveSession } from './live-session.ts';

interface PollDeps {
  queue: MessageQueueClient;
  session: LiveSession;
  capacity: CapacityWatch;
  clock: Clock;
  random: Random;
  log: Logger;
}

interface PollHandlers {
  /** Takes a message; resolves when there is room for another one. */
  onMessage: (message: QueueMessage) => Promise<void>;
  /** GitHub has been holding a poll for `heldMs`. */
  onHeld: () => void;
  heldMs: number;
  onPollEnd: () => void;
}

const failurePolicy = { baseMs: 250, maxMs: 30_000, minMs: 50 };
/** Between polls that come back empty at once: some servers and proxies do not hold them, in ms. */
const emptyFloorMs = 150;
/** After this time without a message everything undeleted is read again, in ms. */
const rereadMs = 300_000;

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
  const { clock, random, log } = deps;
  let position = '0';
  let positionAt = clock.monotonic();
  let failures = 0;
  while (!signal.aborted) {
    const startedAt = clock.monotonic();
    try {
      const message = await pollOnce(deps, handlers, position, signal);
      failures = 0;
      const heldForMs = clock.monotonic() - startedAt;
      if (message && message !== 'interrupted') {
        position = message.messageId ?? position;
        positionAt = clock.monotonic();
        await handlers.onMessage(message);
      } else if (clock.monotonic() - positionAt > rereadMs) {
        position = '0';
        positionAt = clock.monotonic();
      }
      handlers.onPollEnd();
      if (comesAgain(message) && heldForMs < emptyFloorMs) await clock.sleep(emptyFloorMs, signal);
    } catch (error) {
      if (isAborted(signal)) return;
      const waitMs = await recover(deps, error, failures);
      failures += 1;
      log.warn(
        { err: error, waitMs: Math.round(waitMs), failures },
        'poll failed, session and position are kept',
      );
      await clock.sleep(waitMs + random(), signal).catch(() => undefined);
    }
  }
}

/** Nothing, or a message without an id, which can be neither passed nor deleted. */
function comesAgain(message: QueueMessage | 'interrupted' | undefined): boolean {
  return message !== 'interrupted' && message?.messageId === undefined;
}

async function pollOnce(
  { queue, session, capacity, clock }: PollDeps,
  { onHeld, heldMs }: PollHandlers,
  lastMessageId: string,
  signal: AbortSignal,
): Promise<QueueMessage | 'interrupted' | undefined> {
  const changed = new AbortController();
  const answered = new AbortController();
  void clock
    .sleep(heldMs, AbortSignal.any([signal, answered.signal]))
    .then(onHeld, () => undefined);
  const stopWatching = capacity.onChange(() => changed.abort());
  try {
    return await queue.getMessage({
      ...session.queue,
      lastMessageId,
      maxCapacity: capacity.current,
      signal: AbortSignal.any([signal, changed.signal]),
    });
  } catch (error) {
    if (changed.signal.aborted && !signal.aborted) return 'interrupted';
    throw error;
  } finally {
    answered.abort();
    stopWatching();
  }
}

/** What to do about a failed poll: the wait before the next one, in ms; rethrows what ends it. */
async function recover(deps: PollDeps, error: unknown, failures: number): Promise<number> {
  if (!isGitHubError(error)) throw error;
  if (error.kind === 'session-gone' || error.kind === 'scale-set-not-found') throw error;
  const backoff = backoffMs(failures, failurePolicy, deps.random);
  if (error.kind === 'unauthorized' || error.kind === 'not-found') {
    try {
      await deps.session.refresh(deps.session.queue.token);
      return failures === 0 ? 0 : backoff;
    } catch (refreshError) {
      if (isGitHubError(refreshError, 'session-gone', 'scale-set-not-found')) throw refreshError;
      return backoff;
    }
  }
  return Math.max(backoff, error.retryAfterMs ?? 0);
}
