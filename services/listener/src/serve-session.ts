import type { MessageQueueClient, ScaleSetClient, Session, Statistics } from '@baton/scaleset';
import type { Spec } from '@baton/shared/contracts';
import type { Lease } from '@baton/shared/lease';
import type { CapacityWatch } from './capacity-watch.ts';
import { backlogHeldMs, DemandCounter } from './core/demand-counter.ts';
import type { ListenerDeps } from './listener-deps.ts';
import { LiveSession } from './live-session.ts';
import { MessagePipeline } from './message-pipeline.ts';
import { pollLoop } from './poll-loop.ts';
import { registerScaleSet } from './register-scale-set.ts';
import type { SessionClaim } from './session-claim.ts';
import type { StatusReporter } from './status-reporter.ts';

/** Why a session that was polled is not polled any more. */
export type End = 'stopped' | 'disabled' | 'drained';

/** What belongs together while a scale set is ours. */
export interface Holding {
  lease: Lease;
  claim: SessionClaim;
  client: ScaleSetClient;
  queue: (githubScaleSetId: number) => MessageQueueClient;
}

interface ServeDeps extends ListenerDeps {
  status: StatusReporter;
  capacity: CapacityWatch;
  /** Aborted when the scale set is to be given up. */
  stop: AbortSignal;
  /** The newest spec. */
  spec: () => Spec;
  /** Whether the newest spec, or a signal, asks for the end. */
  shouldEnd: () => End | undefined;
}

interface OpenSession extends Holding {
  githubScaleSetId: number;
  session: Session;
}

/** How often it is looked whether a drained scale set may go, in ms. */
const lookAgainMs = 2_000;

/**
 * Polls an open session until something ends it, and finishes what is in flight then.
 * @throws GitHubApiError when the session or the scale set is gone; the reason of a lost lease.
 */
export async function serveSession(deps: ServeDeps, open: OpenSession): Promise<End> {
  const { clock, log, capacity, status } = deps;
  const { lease, githubScaleSetId } = open;
  const ended = new AbortController();
  const polling = AbortSignal.any([lease.signal, ended.signal]);
  const session = new LiveSession({ ...deps, ...open }, githubScaleSetId, open.session);
  const demand = new DemandCounter(open.session.statistics, clock.monotonic());
  const queue = open.queue(githubScaleSetId);
  const pipeline = new MessagePipeline(
    { ...deps, queue, session, claim: open.claim },
    {
      scaleSetId: deps.spec().scaleSetId,
      githubScaleSetId,
      demand,
      signal: AbortSignal.any([lease.signal, deps.abort]),
      onFailure: (error) => ended.abort(error),
    },
  );
  pipeline.pushDemand();
  const background = [
    session.keepFresh(polling),
    capacity.run(polling),
    watchForEnd(deps, open, ended, polling),
  ];
  try {
    await pollLoop(
      { clock, random: deps.random, log, queue, session, capacity },
      {
        onMessage: async (message) => {
          status.polled(true);
          await pipeline.push(message);
        },
        heldMs: backlogHeldMs,
        onHeld: () => {
          pipeline.backlogIsOver();
          if (demand.onPollHeld()) background.push(settleDemand(deps, session, demand, pipeline));
        },
        onPollEnd: () => status.polled(false),
      },
      polling,
    );
  } finally {
    ended.abort();
    await Promise.all(background);
    // Also before the session is opened anew: two pipelines must not share the record.
    await pipeline.drained();
  }
  lease.signal.throwIfAborted();
  const reason: unknown = ended.signal.reason;
  if (reason instanceof EndOfSession) return reason.end;
  throw reason;
}

/** After a backlog that brought jobs, the statistics of opening are replaced by those of now. */
async function settleDemand(
  { clock, log }: ServeDeps,
  session: LiveSession,
  demand: DemandCounter,
  pipeline: MessagePipeline,
): Promise<void> {
  let statistics: Statistics | undefined;
  try {
    await session.refresh(session.queue.token);
    statistics = session.statistics;
  } catch (err) {
    log.warn({ err }, 'statistics of now could not be had, those of opening are used');
  }
  if (demand.settle(statistics, clock.monotonic())) pipeline.pushDemand();
}

/** Ends the polling when the process drains or the spec asks for it; applies a changed spec. */
async function watchForEnd(
  deps: ServeDeps,
  holding: Holding,
  ended: AbortController,
  signal: AbortSignal,
): Promise<void> {
  const { clock, specHints, stop } = deps;
  const onStop = () => ended.abort(new EndOfSession('stopped'));
  stop.addEventListener('abort', onStop, { once: true });
  try {
    if (stop.aborted) onStop();
    let seen = deps.spec();
    while (!signal.aborted) {
      const end = deps.shouldEnd();
      if (end) ended.abort(new EndOfSession(end));
      else if (seen !== deps.spec()) await applySpec(deps, holding);
      seen = deps.spec();
      await specHints.waitFor(seen.scaleSetId, { clock, maxMs: lookAgainMs, signal });
    }
  } finally {
    stop.removeEventListener('abort', onStop);
  }
}

/** Labels and settings may change while the session runs on. */
async function applySpec(deps: ServeDeps, { client, lease }: Holding): Promise<void> {
  const { registrations, log, spec } = deps;
  await registerScaleSet({ client, registrations, log, signal: lease.signal }, spec()).catch(
    (err: unknown) => log.error({ err }, 'changed settings could not be sent to GitHub'),
  );
}

/** Carries the reason of a planned end through an abort signal. */
class EndOfSession extends Error {
  readonly end: End;

  constructor(end: End) {
    super(`the session ends: ${end}`);
    this.end = end;
  }
}
