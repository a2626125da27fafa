import {
  isGitHubError,
  type MessageQueueClient,
  type QueueMessage,
  type ScaleSetClient,
} from '@baton/scaleset';
import type { Spec } from '@baton/shared/contracts';
import type { Lease } from '@baton/shared/lease';
import { attributes } from '@baton/shared/telemetry';
import type { CapacityWatch } from './capacity-watch.ts';
import { type BacklogLimits, backlogLimits } from './core/backlog-limits.ts';
import { DemandCounter } from './core/demand-counter.ts';
import { entryOf } from './core/translate-message.ts';
import type { JobReports } from './job-reports.ts';
import { keepRegistered, type Registered } from './keep-registered.ts';
import type { ListenerDeps } from './listener-deps.ts';
import { LiveSession } from './live-session.ts';
import { MessagePipeline } from './message-pipeline.ts';
import { QueueCalls } from './message-pipeline-calls.ts';
import type { Offers } from './offers.ts';
import type { Opened } from './open-session.ts';
import { pollLoop } from './poll-loop.ts';
import { EndOfSession, watchForEnd } from './serve-session-end.ts';
import { makeOffers, makeReports, makeStoreWatch } from './serve-session-parts.ts';
import type { SessionClaim } from './session-claim.ts';
import type { StatusReporter } from './status-reporter.ts';
import { StepWatch, StuckError } from './step-watch.ts';

/**
 * Why a session that was polled is not polled any more. `withdrawn`: nothing could be run for long,
 * so the session is to be closed until `CapacityWatch.untilReturn` resolves.
 */
export type End = 'stopped' | 'moved' | 'disabled' | 'drained' | 'withdrawn';

/** What belongs together while a scale set is ours. */
export interface Holding {
  lease: Lease;
  claim: SessionClaim;
  client: ScaleSetClient;
  queue: (githubScaleSetId: number) => MessageQueueClient;
}

export interface ServeDeps extends ListenerDeps {
  status: StatusReporter;
  capacity: CapacityWatch;
  /** Aborted when the scale set is to be given up. */
  stop: AbortSignal;
  /** The newest spec. */
  spec: () => Spec;
  /** Whether the newest spec, or a signal, asks for the end. */
  shouldEnd: () => End | undefined;
}

export interface OpenSession
  extends Holding,
    Registered,
    Pick<Opened, 'session' | 'how' | 'openingMs'> {
  githubScaleSetId: number;
  /** Of how it was opened. */
  traceparent?: string | undefined;
}

const defaultStepMs = 90_000;
/** How long a planned end waits for what is in flight, in ms: peers have a second. */
const settleMs = 500;
/** How long a loop may go on after its signal was aborted, in ms. */
const graceMs = 10_000;

/**
 * Polls an open session until something ends it, and finishes what is in flight then.
 * @throws GitHubApiError when the session or the scale set is gone; the reason of a lost lease;
 * StuckError when the loop stands still: then nothing is waited for, and the lease is to be released.
 */
export async function serveSession(deps: ServeDeps, open: OpenSession): Promise<End> {
  return await new Serving(deps, open).run();
}

/** A session that replaces another under one claim goes on with the order of its demands. */
function firstSeq({ epoch, record: { demand } }: SessionClaim): number {
  return demand?.epoch === epoch ? demand.seq + 1 : 0;
}

/** One session while it is polled. */
class Serving {
  readonly #deps: ServeDeps;
  readonly #open: OpenSession;
  readonly #ended = new AbortController();
  /** Aborted when GitHub has ended the session. */
  readonly #gone = new AbortController();
  readonly #polling: AbortSignal;
  readonly #session: LiveSession;
  readonly #demand: DemandCounter;
  readonly #backlog: BacklogLimits;
  readonly #queue: MessageQueueClient;
  readonly #offers: Offers;
  readonly #pipeline: MessagePipeline;
  readonly #reports: JobReports;
  readonly #steps: StepWatch;
  readonly #background: Promise<void>[] = [];

  constructor(deps: ServeDeps, open: OpenSession) {
    const { clock } = deps;
    const messages = { ...deps, log: deps.log.child({ component: 'message' }) };
    const { lease, githubScaleSetId } = open;
    const { scaleSetId } = deps.spec();
    this.#deps = deps;
    this.#open = open;
    this.#polling = AbortSignal.any([lease.signal, this.#ended.signal]);
    this.#session = new LiveSession({ ...deps, ...open }, githubScaleSetId, open.session);
    const { statistics } = open.session;
    this.#backlog = backlogLimits(open.openingMs);
    this.#demand = new DemandCounter(statistics, clock.monotonic(), {
      firstSeq: firstSeq(open.claim),
      backlogMaxMs: this.#backlog.maxMs,
    });
    this.#queue = open.queue(githubScaleSetId);
    this.#steps = new StepWatch(clock, `the poll loop of ${scaleSetId}`);
    const signal = AbortSignal.any([lease.signal, deps.abort]);
    const queueSignal = AbortSignal.any([signal, this.#gone.signal]);
    const onFailure = (error: unknown) => this.#ended.abort(error);
    const queueDeps = { ...messages, queue: this.#queue, session: this.#session };
    const calls = new QueueCalls(queueDeps, queueSignal);
    const parts = { demand: this.#demand, signal: this.#polling };
    this.#offers = makeOffers(messages, open, { ...parts, calls });
    this.#pipeline = new MessagePipeline(
      { ...messages, calls, claim: open.claim, offers: this.#offers, store: makeStoreWatch(deps) },
      { ...parts, scaleSetId, githubScaleSetId, traceparent: open.traceparent, signal, onFailure },
    );
    const onDemand = (traceparent?: string) => this.#pipeline.pushDemand(traceparent);
    this.#reports = makeReports(messages, open, { ...parts, offers: this.#offers, onDemand });
  }

  async run(): Promise<End> {
    const { lease } = this.#open;
    const stopListening = this.#deps.capacity.onChange(() => void this.#offers.takeMore());
    this.#ended.signal.addEventListener('abort', stopListening, { once: true });
    this.#pipeline.pushDemand();
    this.#background.push(
      this.#session.keepFresh(this.#polling),
      this.#deps.capacity.run(this.#polling),
      this.#reports.run(),
      watchForEnd(this.#deps, this.#open, this.#demand, this.#ended),
      keepRegistered(this.#deps, this.#open, this.#polling),
    );
    try {
      await this.#pollUntilStuck();
    } catch (error) {
      if (error instanceof StuckError) this.#tellStuck(error);
      else await this.#finish(error);
      throw error;
    }
    const reason: unknown = this.#ended.signal.reason;
    await this.#finish(reason);
    lease.signal.throwIfAborted();
    if (reason instanceof EndOfSession) return reason.end;
    throw reason;
  }

  /** Ends with the loop; or without it, when it makes no step in time or ignores its signal. */
  async #pollUntilStuck(): Promise<void> {
    const { clock } = this.#deps;
    const done = new AbortController();
    const loop = this.#poll().finally(() => done.abort());
    const watch = this.#steps.untilStuck(this.#polling).then(async (stuck) => {
      if (stuck) throw stuck;
      await clock.sleep(graceMs, done.signal).catch(() => undefined);
      if (!done.signal.aborted) throw new StuckError('a poll loop that was told to end', graceMs);
    });
    // The one that comes second fails for nobody.
    loop.catch(() => undefined);
    watch.catch(() => undefined);
    await Promise.race([loop, watch.then(() => loop)]);
  }

  async #poll(): Promise<void> {
    const { status, metrics, stepMs = defaultStepMs } = this.#deps;
    const log = this.#deps.log.child({ component: 'poll' });
    const { scaleSetId } = this.#deps.spec();
    const { epoch } = this.#open.claim;
    const traced = {
      [attributes.scaleSet]: scaleSetId,
      [attributes.destination]: scaleSetId,
      [attributes.epoch]: epoch,
    };
    await pollLoop(
      {
        ...this.#deps,
        log,
        queue: this.#queue,
        session: this.#session,
        steps: this.#steps,
        stepMs,
        traced,
      },
      {
        onMessage: (message) => this.#onMessage(message),
        heldMs: this.#backlog.heldMs,
        onHeld: () => this.#onHeld(),
        onEmpty: () => this.#pipeline.nothingWaits(),
        onPollEnd: () => {
          status.polled();
          status.setCondition('stuck', undefined);
        },
        onPollFailure: (kind) => metrics.pollFailed(scaleSetId, kind),
      },
      this.#polling,
    );
  }

  async #onMessage(message: QueueMessage): Promise<void> {
    const { status, clock } = this.#deps;
    const inBacklog = this.#demand.inBacklog(clock.monotonic());
    // Statistics are of when the message was written.
    const entry = entryOf(message);
    const old = inBacklog || this.#pipeline.knows(entry);
    const news = old ? { ...message, statistics: undefined } : message;
    status.polled(news);
    this.#reports.onMessage(news, inBacklog);
    await this.#pipeline.push(message, entry);
    // A job that is over makes room for an offer.
    void this.#offers.takeMore();
  }

  /** GitHub has nothing more that waits. */
  #onHeld(): void {
    const { status, capacity, clock } = this.#deps;
    status.advertised(capacity.current);
    const first = this.#demand.inBacklog(clock.monotonic());
    if (this.#demand.onPollHeld()) this.#background.push(this.#settleDemand());
    if (first) this.#background.push(this.#reports.onBacklogOver());
  }

  /** After a backlog that brought jobs, the statistics of opening are replaced by those of now. */
  async #settleDemand(): Promise<void> {
    const { log, clock, status } = this.#deps;
    const session = this.#session;
    const fresh = await session.refresh(session.queue.token).then(
      () => session.statistics,
      (err: unknown) => {
        log.warn({ err }, 'statistics of now could not be had, those of opening are used');
        return undefined;
      },
    );
    if (fresh) status.counted(fresh, false);
    if (this.#demand.settle(fresh, clock.monotonic())) this.#pipeline.pushDemand();
    await this.#offers.takeMore();
  }

  /**
   * Also before the session is opened anew: two pipelines must not share the record. A session that
   * is gone is not waited for: what could not be deleted comes again with the next one.
   */
  async #finish(reason: unknown): Promise<void> {
    this.#ended.abort();
    if (isGitHubError(reason, 'session-gone', 'scale-set-not-found')) this.#gone.abort(reason);
    const settled = Promise.all(this.#background).then(() => this.#pipeline.drained());
    if (reason instanceof EndOfSession) await this.#settleInTime(settled, reason);
    else await settled;
  }

  /**
   * A planned end does not wait for calls that hang: the next holder finds in the record what was
   * published, and deletes it; what is still under way here changes nothing that it could not do.
   */
  async #settleInTime(settled: Promise<void>, reason: EndOfSession): Promise<void> {
    const done = new AbortController();
    const late = this.#deps.clock.sleep(settleMs, done.signal).then(
      () => this.#gone.abort(reason),
      () => undefined,
    );
    const inTime = settled.finally(() => done.abort());
    inTime.catch(() => undefined);
    await Promise.race([inTime, late]);
  }

  /** Whatever hangs is not waited for: the lease is released, which ends the rest. */
  #tellStuck(error: StuckError): void {
    const { status, metrics, spec } = this.#deps;
    this.#ended.abort(error);
    metrics.pollFailed(spec().scaleSetId, 'stuck');
    status.setCondition('stuck', `${error.message}: the scale set is left to another listener`);
  }
}
