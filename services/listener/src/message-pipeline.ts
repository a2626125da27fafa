import { createHash } from 'node:crypto';
import {
  isGitHubError,
  type JobsMessage,
  type MessageQueueClient,
  type QueueMessage,
  type UnreadableMessage,
} from '@baton/scaleset';
import type { Secret } from '@baton/shared/config';
import { type Demand, deadSubject, eventSubject, type RingEntry } from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import type { Publisher } from '@baton/shared/messaging';
import { backoffMs, type Random } from '@baton/shared/retry';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isoNow } from '@baton/shared/time';
import type { DemandCounter } from './core/demand-counter.ts';
import { bodyHash, offeredRequestIds, translateJobs } from './core/translate-message.ts';
import type { LiveSession } from './live-session.ts';
import type { SessionClaim } from './session-claim.ts';

interface PipelineDeps {
  queue: MessageQueueClient;
  session: LiveSession;
  claim: SessionClaim;
  publisher: Publisher;
  clock: Clock;
  random: Random;
  log: Logger;
}

interface PipelineOptions {
  scaleSetId: string;
  githubScaleSetId: number;
  demand: DemandCounter;
  /** Aborted when the listener must stop acting on the scale set. */
  signal: AbortSignal;
  /** A message could not be handled, so the session cannot go on. */
  onFailure: (error: unknown) => void;
}

/** Messages taken in and not deleted yet; the poll waits when there are more. */
const maxPending = 10;
/**
 * Of one dead letter, in characters; a longer body comes in parts. NATS takes a MiB, and JSON makes up
 * to six bytes of a character.
 */
const maxBodyLength = 150_000;
const retryPolicy = { baseMs: 100, maxMs: 5_000, minMs: 50 };

/**
 * Turns messages into facts, one after another, while the next poll is already out:
 *
 * acquire offers → publish the facts → record the message and the demand under our epoch → delete
 * the message at GitHub.
 *
 * Any step may be the last one. Until the record is written GitHub delivers the message again and
 * `Nats-Msg-Id` drops what is published twice; after it, the ring in the record says that only the
 * delete is missing. Deletes keep the order of the messages, so that what is delivered again is
 * always the end of the log. A delete follows a successful write under our epoch: a listener that
 * lost its claim deletes nothing.
 */
export class MessagePipeline {
  readonly #deps: PipelineDeps;
  readonly #options: PipelineOptions;
  /** Published, by the record; some may be deleted already. */
  #ring: RingEntry[];
  /** Taken in and not deleted yet. */
  #inFlight: RingEntry[] = [];
  #handling: Promise<void> = Promise.resolve();
  #deleting: Promise<void> = Promise.resolve();
  readonly #pending = new Set<Promise<void>>();

  constructor(deps: PipelineDeps, options: PipelineOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#ring = deps.claim.record.ring;
  }

  /** Takes a message in; resolves when there is room for another. */
  async push(message: QueueMessage): Promise<void> {
    if (message.kind === 'unreadable') this.#enqueue(() => this.#bury(message));
    else this.#take(message);
    while (this.#pending.size >= maxPending) await Promise.race(this.#pending);
  }

  /** The demand has changed without a message: at opening, and at the end of the backlog. */
  pushDemand(): void {
    const demand = this.#demandNow();
    this.#enqueue(() => this.#announce(demand));
  }

  /**
   * Nothing waits at GitHub but what was taken in: whatever else the ring holds was deleted there by
   * an earlier listener, which could not write that down.
   */
  backlogIsOver(): void {
    this.#ring = this.#ring.filter((known) => this.#inFlight.some((entry) => isSame(entry, known)));
  }

  /** Resolves when all that was pushed is handled and deleted, or has failed. */
  async drained(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #enqueue(step: () => Promise<void> | void): void {
    const { signal, onFailure } = this.#options;
    this.#handling = this.#handling.then(async () => {
      signal.throwIfAborted();
      await step();
    });
    const turn = Promise.all([this.#handling, this.#handling.then(() => this.#deleting)]);
    const settled = turn.then(
      () => undefined,
      (error: unknown) => onFailure(error),
    );
    const entry: Promise<void> = settled.finally(() => this.#pending.delete(entry));
    this.#pending.add(entry);
  }

  /** Counted in the order of arrival, before anything is awaited. */
  #take(message: JobsMessage): void {
    const { messageId, jobs, statistics } = message;
    const entry = { messageId, bodyHash: bodyHash(jobs) };
    if (this.#inFlight.some((known) => isSame(known, entry))) return;
    this.#inFlight = [...this.#inFlight, entry];
    if (this.#ring.some((known) => isSame(known, entry))) {
      this.#deps.log.debug({ messageId }, 'message was published before');
      this.#enqueue(() => this.#deleteInOrder(entry));
      return;
    }
    const { demand } = this.#options;
    const changed = demand.onMessage(jobs, statistics, this.#deps.clock.monotonic());
    const seq = changed ? demand.current.seq : demand.nextSeq;
    const demandAfter = changed ? this.#demandNow() : undefined;
    this.#enqueue(() => this.#handle(message, entry, seq, demandAfter));
  }

  async #handle(
    message: JobsMessage,
    entry: RingEntry,
    seq: number,
    demandAfter: Demand | undefined,
  ): Promise<void> {
    await this.#acquire(message);
    await this.#publishFacts(message, entry, seq);
    this.#ring = [...this.#ring, entry];
    if (demandAfter) await this.#announce(demandAfter);
    else await this.#recordRing();
    this.#deleteInOrder(entry);
  }

  async #publishFacts(message: JobsMessage, entry: RingEntry, seq: number): Promise<void> {
    const { publisher, claim, clock, log } = this.#deps;
    const { scaleSetId, signal } = this.#options;
    for (const job of message.jobs) {
      if (job.kind === 'unknown') log.warn({ type: job.messageType }, 'job message not understood');
    }
    const events = translateJobs(message.jobs, {
      scaleSetId,
      position: { epoch: claim.epoch, seq },
      at: isoNow(clock),
    });
    await Promise.all(
      events.map((event, part) =>
        publisher.publish(eventSubject('listener', scaleSetId, ...splitType(event.type)), event, {
          messageId: factId(this.#options, entry, part),
          signal,
        }),
      ),
    );
  }

  /** Enterprise Server offers jobs; what is not acquired goes to nobody. */
  async #acquire(message: JobsMessage): Promise<void> {
    const offered = offeredRequestIds(message.jobs);
    if (offered.length === 0) return;
    const { queue, log } = this.#deps;
    const { signal } = this.#options;
    const result = await this.#retry('jobs could not be acquired', () =>
      queue.acquireJobs(offered, { token: this.#deps.session.queue.token, signal }),
    );
    const granted = result.kind === 'acquired' ? result.ids.length : undefined;
    log.info({ offered: offered.length, granted, result: result.kind }, 'jobs acquired');
  }

  /** What cannot be understood is kept whole, then acknowledged, so that it blocks nothing. */
  async #bury(message: UnreadableMessage): Promise<void> {
    const { publisher, clock, log } = this.#deps;
    const { scaleSetId, signal } = this.#options;
    const { messageId, problem, raw } = message;
    log.error({ messageId, problem }, 'message became a dead letter');
    const rawHash = createHash('sha256').update(raw).digest('hex').slice(0, 32);
    const entry = { messageId: messageId ?? 'none', bodyHash: rawHash };
    const parts = Math.max(1, Math.ceil(raw.length / maxBodyLength));
    for (let part = 0; part < parts; part += 1) {
      await publisher.publish(
        deadSubject('listener', 'message'),
        {
          v: 1,
          service: 'listener',
          kind: 'message',
          scaleSetId,
          reason: problem,
          ...(parts > 1 ? { part: part + 1, parts } : {}),
          body: raw.slice(part * maxBodyLength, (part + 1) * maxBodyLength),
          at: isoNow(clock),
        },
        { messageId: factId(this.#options, entry, part), signal },
      );
    }
    if (messageId === undefined) return;
    this.#ring = [...this.#ring, entry];
    await this.#recordRing();
    this.#deleteInOrder(entry);
  }

  #demandNow(): Demand {
    const { demand } = this.#options;
    return {
      epoch: this.#deps.claim.epoch,
      ...demand.current,
      observedAt: isoNow(this.#deps.clock),
    };
  }

  /** Records a demand, then wakes the planners; they read it from the record. */
  async #announce(demand: Demand): Promise<void> {
    const { claim, publisher, clock } = this.#deps;
    const { scaleSetId, signal } = this.#options;
    await claim.write((record) => ({ ...record, demand, ring: this.#ring }));
    const event = { v: 1, type: 'demand.changed', scaleSetId, at: isoNow(clock), demand };
    await publisher.publish(eventSubject('listener', scaleSetId, 'demand', 'changed'), event, {
      messageId: `demand-${scaleSetId}-${demand.epoch}-${demand.seq}`,
      signal,
    });
  }

  async #recordRing(): Promise<void> {
    await this.#deps.claim.write((record) => ({ ...record, ring: this.#ring }));
  }

  /** Queues the delete behind those of earlier messages; the next message need not wait for it. */
  #deleteInOrder(entry: RingEntry): void {
    const { queue, session } = this.#deps;
    const { signal } = this.#options;
    this.#deleting = this.#deleting.then(async () => {
      await this.#retry('message could not be deleted', () =>
        queue.deleteMessage(entry.messageId, { ...session.queue, signal }),
      );
      // The record learns it with its next write; until then the entry is merely superfluous.
      this.#ring = this.#ring.filter((known) => !isSame(known, entry));
      this.#inFlight = this.#inFlight.filter((known) => !isSame(known, entry));
    });
    // Whoever waits for the message sees the failure; this only keeps it from being unhandled.
    this.#deleting.catch(() => undefined);
  }

  /** A fresh token; that GitHub or NATS cannot be reached now is left to the next attempt. */
  async #refresh(stale: Secret): Promise<void> {
    try {
      await this.#deps.session.refresh(stale);
    } catch (error) {
      if (!(error instanceof AppError && error.retryable)) throw error;
    }
  }

  /** Repeats a call of the queue through outages and token ends, until the signal is aborted. */
  async #retry<T>(failureText: string, call: () => Promise<T>): Promise<T> {
    const { session, clock, random, log } = this.#deps;
    const { signal } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      const { token } = session.queue;
      try {
        return await call();
      } catch (error) {
        signal.throwIfAborted();
        if (isGitHubError(error, 'unauthorized')) await this.#refresh(token);
        else if (!(isGitHubError(error) && error.retryable)) throw error;
        log.warn({ err: error, attempt }, failureText);
      }
      await clock.sleep(backoffMs(attempt, retryPolicy, random), signal);
    }
  }
}

function isSame(a: RingEntry, b: RingEntry): boolean {
  return a.messageId === b.messageId && a.bodyHash === b.bodyHash;
}

/**
 * Ids of messages start again for a new scale set and were seen to restart: the body is part. Ids of
 * scale sets are GitHub's, and two servers may give the same ones: ours is part.
 */
function factId(
  { scaleSetId, githubScaleSetId }: PipelineOptions,
  { messageId, bodyHash }: RingEntry,
  part: number,
): string {
  return `fact-${scaleSetId}-${githubScaleSetId}-${messageId}-${bodyHash}-${part}`;
}

function splitType(type: string): [entity: string, what: string] {
  const [entity = '', what = ''] = type.split('.');
  return [entity, what];
}
