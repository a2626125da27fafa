import { type GitHubApiError, isGitHubError, type Session } from '@baton/scaleset';
import type { SessionEnd } from '@baton/shared/contracts';
import { errorText } from '@baton/shared/errors';
import { type Clock, isoNow } from '@baton/shared/time';
import type { OpeningPolicy } from './core/decide-session-step.ts';
import type { ListenerMetrics } from './listener-metrics.ts';
import type { Opened, OpeningWait } from './open-session.ts';
import type { ScaleSetEvents } from './scale-set-events.ts';
import type { StatusReporter } from './status-reporter.ts';
import { StuckError } from './step-watch.ts';

interface ReporterDeps {
  status: StatusReporter;
  events: ScaleSetEvents;
  metrics: ListenerMetrics;
  clock: Clock;
  opening: OpeningPolicy;
}

/**
 * Tells what happens on the way to a session of one scale set, while it is open, and when it ends:
 * status, events and counts together. Never throws and never waits.
 */
export class SessionReporter {
  readonly #deps: ReporterDeps;
  /** Wall clock of the conflict's first answer, as ISO time. */
  #conflictSince: string | undefined;
  #open: Session | undefined;
  /** Monotonic time since when the scale set has no session though it had one. */
  #gapSince: number | undefined;

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
  }

  /** The scale set is ours; `since` when, by the monotonic clock, nobody has its session, if it had one. */
  takesOver(since: number | undefined): void {
    this.#gapSince = since;
  }

  /** An attempt did not get the session. Waiting is a state, and no error. */
  waiting(wait: OpeningWait, epoch: number): void {
    const { status } = this.#deps;
    if (wait.answer.result === 'conflict') this.#conflict(wait, epoch);
    else status.enter('opening', { epoch, reason: wait.text });
  }

  /** The session is open. `openedAt` is when GitHub opened it, which may be long ago. */
  opened({ session, how, replaced }: Opened, openedAt: string | undefined, epoch: number): void {
    const { status, events, metrics, clock } = this.#deps;
    const { scaleSetId } = status.current;
    this.#conflictIsOver();
    status.enter('polling', { epoch, opened: how, openedAt: openedAt ?? isoNow(clock) });
    for (const type of ['credential-refused', 'stuck'] as const) {
      status.setCondition(type, undefined);
    }
    metrics.sessionOpened(scaleSetId, how);
    if (this.#gapSince !== undefined) metrics.gapEnded(clock.monotonic() - this.#gapSince);
    this.#gapSince = undefined;
    if (replaced) status.replaced(replaced);
    if (session.statistics) status.counted(session.statistics, false);
    this.#open = session;
    events.sessionOpened(how, session.sessionId);
  }

  /** The session that was open is not polled any more. Says nothing when none was. */
  ended(reason: SessionEnd): void {
    this.#conflictIsOver();
    if (!this.#open) return;
    const { events, clock } = this.#deps;
    events.sessionEnded(reason, this.#open.sessionId);
    this.#open = undefined;
    this.#gapSince = planned.has(reason) ? undefined : clock.monotonic();
  }

  /** The scale set cannot be served, and somebody should do something. */
  failed(error: unknown): void {
    const { status } = this.#deps;
    const refused = isGitHubError(error, 'unauthorized', 'forbidden', 'not-found');
    const reason = refused ? refusalText(error) : errorText(error);
    status.enter('failed', { reason });
    if (refused) status.setCondition('credential-refused', reason);
  }

  #conflict(wait: OpeningWait, epoch: number): void {
    const { status, events, metrics, clock, opening } = this.#deps;
    const { text: reason, ownerText, attempts, conflictMs, nextAttemptInMs } = wait;
    const owner = ownerText === undefined ? {} : { ownerText };
    this.#conflictSince ??= new Date(clock.now() - conflictMs).toISOString();
    const since = this.#conflictSince;
    const nextAttemptAt = new Date(clock.now() + nextAttemptInMs).toISOString();
    const lasting = conflictMs >= opening.conflictEarlyMs;
    metrics.sessionConflict(status.current.scaleSetId);
    events.conflicted(since, ownerText);
    status.enter(lasting ? 'conflicted' : 'opening', {
      epoch,
      reason,
      conflict: { since, attempts, nextAttemptAt, ...owner },
    });
    if (lasting) status.setCondition('conflicted', conflictText(since, ownerText));
  }

  #conflictIsOver(): void {
    const { status, events } = this.#deps;
    if (this.#conflictSince !== undefined) events.conflictEnded(this.#conflictSince);
    this.#conflictSince = undefined;
    status.setCondition('conflicted', undefined);
  }
}

/** After these nobody is to have a session, or the next one counts. */
const planned: ReadonlySet<SessionEnd> = new Set(['closed', 'handed over']);

/** Why a session is not polled any more after this error. */
export function endOf(error: unknown): SessionEnd {
  if (error instanceof StuckError) return 'stuck';
  return isGitHubError(error, 'session-gone', 'scale-set-not-found') ? 'gone' : 'lost';
}

/** With what to do, once. */
function refusalText(error: GitHubApiError): string {
  return error.info.advised ? error.message : `${errorText(error)}; ${credentialAdvice}`;
}

const credentialAdvice =
  'check that the token or App key is valid, has not expired, and may manage self-hosted runners there';

function conflictText(since: string, ownerText: string | undefined): string {
  const owner = ownerText === undefined ? 'a client that GitHub does not name' : ownerText;
  return `since ${since} GitHub keeps a session of ${owner} and refuses ours: stop the other client; a dead one is freed by GitHub after about 90 s`;
}
