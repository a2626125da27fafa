import type { JobsMessage, QueueMessage } from '@baton/scaleset';
import { type Demand, eventSubject, type RingEntry } from '@baton/shared/contracts';
import { AppError, errorText } from '@baton/shared/errors';
import type { Publisher } from '@baton/shared/messaging';
import {
  activeTraceparent,
  attributes,
  inSpan,
  inTrace,
  type Logger,
  type Span,
  startSpan,
  withinSpan,
} from '@baton/shared/telemetry';
import { type Clock, isoNow } from '@baton/shared/time';
import type { DemandCounter } from './core/demand-counter.ts';
import { MessageRing } from './core/message-ring.ts';
import { entryOf, offeredRequestIds } from './core/translate-message.ts';
import type { ListenerMetrics } from './listener-metrics.ts';
import type { QueueCalls } from './message-pipeline-calls.ts';
import { MessageDeletes } from './message-pipeline-deletes.ts';
import { FactWriter, type Origin } from './message-pipeline-facts.ts';
import type { Offers } from './offers.ts';
import type { SessionClaim } from './session-claim.ts';
import type { StoreWatch } from './store-watch.ts';

interface PipelineDeps {
  /** Their signal is also aborted when the session is gone: its queue takes nothing any more. */
  calls: QueueCalls;
  claim: SessionClaim;
  publisher: Publisher;
  offers: Offers;
  store: StoreWatch;
  clock: Clock;
  log: Logger;
  metrics?: Pick<ListenerMetrics, 'deadLetter' | 'messageStored' | 'jobs'> | undefined;
}

interface PipelineOptions {
  scaleSetId: string;
  githubScaleSetId: number;
  demand: DemandCounter;
  /** Of how the session was opened: a demand that no message brought belongs there. */
  traceparent?: string | undefined;
  /** Aborted when the listener must stop acting on the scale set. */
  signal: AbortSignal;
  /** A message could not be handled, so the session cannot go on. */
  onFailure: (error: unknown) => void;
}

/** What one turn of the pipeline is to do. */
interface Taken {
  /** Names the message; undefined for one without an id, and where there is none. */
  entry?: RingEntry | undefined;
  /** Absent when the message was published before. */
  publish?: () => Promise<void>;
  /** What the demand is then; undefined when it is as it was. */
  demand?: Demand | undefined;
  /** Of the message, from its arrival until it is deleted at GitHub. */
  span?: Span;
  /** Monotonic time at which a message came that is not stored yet. */
  cameAt?: number;
}

/** Messages taken in and not deleted yet; the poll waits when there are more. */
const maxPending = 10;
/** A message that fails so often is kept as a dead letter: it must not block those behind it. */
const maxAttempts = 3;
/** Between two of these attempts, in ms. */
const attemptPauseMs = 100;
/** Failures of the world around, which no message is to blame for. */
const outerFailures: ReadonlySet<string> = new Set(['nats', 'github', 'conflict', 'config']);

/**
 * Turns messages into facts while the next poll is already out:
 *
 * acquire offers → publish the facts → record the message and the demand under our epoch → delete
 * the message at GitHub.
 *
 * Messages that came in meanwhile go through these steps together, which costs one record.
 *
 * Any step may be the last one. Until the record is written GitHub delivers the message again and
 * `Nats-Msg-Id` drops what is published twice; after it, the ring in the record says that only the
 * delete is missing. Deletes keep the order of the messages, so that what is delivered again is
 * the end of the log, and messages that GitHub does not let us delete: they stay in the ring and
 * hold up nothing. A delete follows a successful write under our epoch: a listener that lost its
 * claim deletes nothing.
 */
export class MessagePipeline {
  readonly #deps: PipelineDeps;
  readonly #options: PipelineOptions;
  readonly #facts: FactWriter;
  readonly #ring: MessageRing;
  readonly #deletes: MessageDeletes;
  /** Not begun yet. */
  #taken: Taken[] = [];
  #handling: Promise<void> = Promise.resolve();
  readonly #pending = new Set<Promise<void>>();
  /** When a message about jobs last came, in any session. */
  #messageAt: string | undefined;
  /** `traceparent` of the poll that brought the last jobs. */
  #broughtBy: string | undefined;

  constructor(deps: PipelineDeps, options: PipelineOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#facts = new FactWriter(deps, options);
    this.#ring = new MessageRing(deps.claim.record.ring);
    this.#deletes = new MessageDeletes({ ...deps, ring: this.#ring });
    this.#messageAt = deps.claim.record.demand?.messageAt;
  }

  /** Whether the message of this name was taken in before, and is delivered again. */
  knows(entry: RingEntry): boolean {
    return this.#ring.isInFlight(entry) || this.#ring.isHandled(entry);
  }

  /** Takes a message in, by its name; resolves when there is room for another. */
  async push(message: QueueMessage, name = entryOf(message)): Promise<void> {
    this.#take(message, name);
    while (this.#pending.size >= maxPending) await Promise.race(this.#pending);
  }

  /**
   * The demand has changed without a message: at opening, at the end of the backlog, or because GitHub
   * was asked, which then is its trace. A backlog is told by the poll that brought its last jobs.
   */
  pushDemand(traceparent = this.#broughtBy ?? this.#options.traceparent): void {
    this.#queue({ demand: this.#demandNow(traceparent) });
  }

  /**
   * Nothing waits at GitHub but what was taken in: whatever else the ring holds was deleted there by
   * an earlier listener, which could not write that down.
   */
  nothingWaits(): void {
    this.#ring.nothingWaits();
  }

  /** Resolves when all that was pushed is handled and deleted, or has failed. */
  async drained(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #queue(taken: Taken): void {
    const { signal, onFailure } = this.#options;
    this.#taken.push(taken);
    this.#handling = this.#handling.then(async () => {
      signal.throwIfAborted();
      await this.#handleTaken();
    });
    const turn = this.#handling.then(async () => {
      this.#countStored(taken);
      await this.#deletes.done;
    });
    const settled = turn.then(
      () => undefined,
      (error: unknown) => {
        taken.span?.fail(error);
        onFailure(error);
      },
    );
    const entry: Promise<void> = settled.finally(() => {
      taken.span?.end();
      this.#pending.delete(entry);
    });
    this.#pending.add(entry);
  }

  /** Counted in the order of arrival, before anything is awaited. */
  #take(message: QueueMessage, name: RingEntry): void {
    const { messageId } = message;
    const entry = messageId === undefined ? undefined : name;
    if (entry && this.#ring.isInFlight(entry)) return;
    const origin = { entry: name, traceparent: activeTraceparent() };
    const span = startSpan('handle message', { attributes: { [attributes.messageId]: messageId } });
    const common = { entry, span, cameAt: this.#deps.clock.monotonic() };
    if (entry) {
      this.#ring.take(entry);
      if (this.#ring.isHandled(entry)) {
        this.#deps.log.debug({ messageId }, 'message was published before');
        this.#queue({ entry, span });
        return;
      }
    }
    if (message.kind === 'unreadable') {
      const publish = () => this.#facts.buryUnreadable(message, origin);
      this.#queue({ ...common, publish: () => withinSpan(span, publish) });
    } else this.#takeJobs(message, common, origin);
  }

  #takeJobs(message: JobsMessage, common: Taken & { span: Span }, origin: Origin): void {
    const { jobs, statistics } = message;
    const { demand, scaleSetId } = this.#options;
    const { clock, offers, metrics } = this.#deps;
    metrics?.jobs.count(scaleSetId, jobs, clock.now());
    offers.onJobs(jobs);
    if (jobs.length > 0) {
      this.#messageAt = isoNow(clock);
      this.#broughtBy = origin.traceparent;
    }
    const changed = demand.onMessage(jobs, statistics, clock.monotonic());
    const seq = changed ? demand.current.seq : demand.nextSeq;
    this.#queue({
      ...common,
      publish: () => withinSpan(common.span, () => this.#publish(message, origin, seq)),
      demand: changed ? this.#demandNow(origin.traceparent) : undefined,
    });
  }

  /** All that was taken in by now: nothing is left to do for the turns of the others. */
  async #handleTaken(): Promise<void> {
    const group = this.#taken.splice(0);
    // All of them, also when one fails: no message must come back while it is under way.
    const published = await Promise.allSettled(group.flatMap(({ publish }) => publish?.() ?? []));
    for (const result of published) if (result.status === 'rejected') throw result.reason;
    const demand = group.findLast((taken) => taken.demand)?.demand;
    const handled = group.filter(({ publish }) => publish).flatMap(({ entry }) => entry ?? []);
    for (const entry of handled) this.#ring.handle(entry);
    const traces = group.flatMap(({ span }) => span?.traceparent ?? []);
    const parent = traces.at(-1) ?? demand?.traceparent;
    if (demand || handled.length > 0) {
      // One record for all: told once, as a part of the last message, with links to the others.
      const told = { parent, links: traces.slice(0, -1) };
      const what = handled.length > 0 ? 'record message' : 'record demand';
      await inSpan(what, told, () => this.#record(demand));
    }
    for (const { entry, span } of group) if (entry) this.#deletes.queue(entry, span?.traceparent);
    // Planners that are not woken find the demand in the record.
    if (demand) await inTrace(parent, () => this.#wake(demand));
  }

  #countStored({ cameAt }: Taken): void {
    const { clock, metrics } = this.#deps;
    if (cameAt !== undefined) metrics?.messageStored(clock.monotonic() - cameAt);
  }

  async #publish(message: JobsMessage, origin: Origin, seq: number): Promise<void> {
    const problem = await this.#tryOften(message, origin, seq);
    if (problem !== undefined) await this.#facts.buryMessage(message, origin, problem);
  }

  /** Why the message cannot be handled; undefined when it was. */
  async #tryOften(message: JobsMessage, origin: Origin, seq: number): Promise<string | undefined> {
    const { claim, clock, log, offers } = this.#deps;
    const { signal } = this.#options;
    const offered = offeredRequestIds(message.jobs);
    for (let attempt = 1; ; attempt += 1) {
      try {
        if (offered.length > 0) await offers.take(offered);
        await this.#facts.publish(message, origin, { epoch: claim.epoch, seq });
        return undefined;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof AppError && outerFailures.has(error.code)) throw error;
        const { messageId } = message;
        log.error({ err: error, attempt, messageId }, 'message not handled');
        if (attempt >= maxAttempts) return `failed ${attempt} times: ${errorText(error)}`;
      }
      await clock.sleep(attemptPauseMs, signal);
    }
  }

  #demandNow(traceparent: string | undefined): Demand {
    const { demand } = this.#options;
    return {
      epoch: this.#deps.claim.epoch,
      ...demand.current,
      observedAt: isoNow(this.#deps.clock),
      ...demand.runners,
      ...(this.#messageAt === undefined ? {} : { messageAt: this.#messageAt }),
      ...(traceparent === undefined ? {} : { traceparent }),
    };
  }

  async #wake(demand: Demand): Promise<void> {
    const { publisher, clock, store } = this.#deps;
    const { scaleSetId, signal } = this.#options;
    const event = { v: 1, type: 'demand.changed', scaleSetId, at: isoNow(clock), demand };
    const subject = eventSubject('listener', scaleSetId, 'demand', 'changed');
    const messageId = `demand-${scaleSetId}-${demand.epoch}-${demand.seq}`;
    const { traceparent } = demand;
    const options = { messageId, traceparent, signal, onFailure: store.failed };
    await store.during(() => publisher.publish(subject, event, options));
  }

  /** Records what is handled, and a demand. */
  async #record(demand?: Demand): Promise<void> {
    const { claim, store } = this.#deps;
    await store.during(() =>
      claim.write((record) => ({
        ...record,
        ...(demand && { demand }),
        ring: this.#ring.recorded,
      })),
    );
  }
}
