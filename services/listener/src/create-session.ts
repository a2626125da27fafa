import { isGitHubError, type ScaleSetClient, type Session } from '@baton/scaleset';
import type { Lease } from '@baton/shared/lease';
import { type Clock, isoNow, withDeadline } from '@baton/shared/time';
import type { SessionClaim } from './session-claim.ts';

interface CreateDeps {
  client: ScaleSetClient;
  claim: SessionClaim;
  lease: Lease;
  clock: Clock;
  /** Aborted when the drain budget is nearly used up. */
  abort: AbortSignal;
}

interface NewSession {
  githubScaleSetId: number;
  /** Told to GitHub as the session's owner. */
  ownerName: string;
}

/** Measures a call from its last sending to its answer, without what comes before and after. */
export class CallTimer {
  readonly #clock: Clock;
  #sentAt = 0;
  #answeredAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly onSend = (): void => {
    this.#sentAt = this.#clock.monotonic();
  };

  readonly onAnswer = (): void => {
    this.#answeredAt = this.#clock.monotonic();
  };

  /** In ms. */
  get tookMs(): number {
    return this.#answeredAt - this.#sentAt;
  }
}

/** How long a call that was sent may go on after the lease was lost, in ms. */
const finishMs = 10_000;
/** And after most of the drain budget was used up, in ms; deleting may take as long again. */
const lateMs = 1_000;
/** How long deleting what cannot be recorded may take, in ms. */
const discardMs = 5_000;

/**
 * Creates a session and records it. Once the request was sent, only its answer tells which session
 * there is now: it is waited for though the lease is lost, for a while, and what cannot be recorded
 * is deleted. Otherwise the next holder would have to wait until GitHub frees it.
 * @throws GitHubApiError; the reason of the lost lease or of `abort`; ClaimLostError.
 */
export async function createSession(
  deps: CreateDeps,
  target: NewSession,
  timer?: CallTimer,
): Promise<Session> {
  const session = await callToItsEnd(deps, target, timer);
  timer?.onAnswer();
  const { sessionId } = session;
  const { ownerName } = target;
  try {
    const openedAt = isoNow(deps.clock);
    await deps.claim.write((record) => ({
      ...record,
      session: { sessionId, ownerName, openedAt },
    }));
  } catch (error) {
    await discard(deps, target, sessionId);
    throw error;
  }
  return session;
}

async function callToItsEnd(
  deps: CreateDeps,
  target: NewSession,
  timer: CallTimer | undefined,
): Promise<Session> {
  const { client, lease, clock, abort } = deps;
  const done = new AbortController();
  let sent = false;
  const after = (signal: AbortSignal, ms: number) =>
    lagging(signal, { clock, lagMs: () => (sent ? ms : 0), until: done.signal });
  const signal = AbortSignal.any([after(lease.signal, finishMs), after(abort, lateMs)]);
  const onSend = () => {
    // A call that is repeated must not begin anew for a lease that was lost.
    lease.signal.throwIfAborted();
    abort.throwIfAborted();
    sent = true;
    timer?.onSend();
  };
  try {
    return await client.createSession(target.githubScaleSetId, target.ownerName, {
      signal,
      onSend,
    });
  } catch (error) {
    // GitHub opened it without a queue: left alone it would be the next attempt's conflict.
    const degraded = isGitHubError(error) ? error.info.sessionId : undefined;
    if (degraded) await discard(deps, target, degraded);
    lease.signal.throwIfAborted();
    throw error;
  } finally {
    done.abort();
  }
}

/** Best effort. Needs no lease: nobody else knows this session. */
async function discard(
  { client, clock, abort }: CreateDeps,
  { githubScaleSetId }: NewSession,
  sessionId: string,
): Promise<void> {
  const done = new AbortController();
  const signal = lagging(abort, { clock, lagMs: () => lateMs, until: done.signal });
  await withDeadline(
    { clock, what: 'delete a session that is not recorded', timeoutMs: discardMs, signal },
    (bounded) => client.deleteSession(githubScaleSetId, sessionId, { signal: bounded }),
  ).catch(() => undefined);
  done.abort();
}

interface Lag {
  clock: Clock;
  /** Asked when the signal is aborted, in ms. */
  lagMs: () => number;
  /** Ends the wait. */
  until: AbortSignal;
}

/** Is aborted some time after `signal`, with its reason. */
function lagging(signal: AbortSignal, { clock, lagMs, until }: Lag): AbortSignal {
  const late = new AbortController();
  const onAbort = () => {
    const ms = lagMs();
    if (ms === 0) late.abort(signal.reason);
    else
      void clock.sleep(ms, until).then(
        () => late.abort(signal.reason),
        () => undefined,
      );
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true, signal: until });
  return late.signal;
}
