import {
  type ConditionType,
  eventSubject,
  type ScaleSetEvent,
  type SessionEnd,
} from '@baton/shared/contracts';
import type { Publisher } from '@baton/shared/messaging';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isoNow } from '@baton/shared/time';

interface EventDeps {
  publisher: Publisher;
  clock: Clock;
  log: Logger;
}

type Fact = { type: ScaleSetEvent['type'] } & Record<string, unknown>;

/** Events that may wait for NATS; what comes then is dropped. */
const maxPending = 20;
const attempts = 5;
const retryMs = 1_000;
/** How long the end of the work may wait for the last of them, in ms. */
const settleMs = 1_000;

/**
 * Publishes what happens to one scale set. Best effort: never throws, never makes anybody wait, keeps
 * a bounded number in memory. An id makes the same fact published twice one event.
 */
export class ScaleSetEvents {
  readonly #deps: EventDeps;
  readonly #scaleSetId: string;
  readonly #by: string;
  #pending = 0;
  #publishing: Promise<void> = Promise.resolve();
  /** Of the claim under which things happen now. */
  epoch = 0;

  constructor(deps: EventDeps, scaleSetId: string, by: string) {
    this.#deps = deps;
    this.#scaleSetId = scaleSetId;
    this.#by = by;
  }

  sessionOpened(how: string, sessionId: string): void {
    this.#publish({ type: 'session.opened', how, sessionId }, `${sessionId}-${how}`);
  }

  sessionEnded(reason: SessionEnd, sessionId: string): void {
    this.#publish({ type: 'session.ended', reason, sessionId }, `${sessionId}-${reason}`);
  }

  /** GitHub refuses a session since `since`; said once for each conflict, however often it repeats. */
  conflicted(since: string, ownerText?: string): void {
    const owner = ownerText === undefined ? {} : { ownerText };
    this.#publish({ type: 'session.conflicted', since, ...owner }, since);
  }

  conflictEnded(since: string): void {
    this.#publish({ type: 'session.conflict-ended', since }, since);
  }

  registered(what: RegisteredHow, githubScaleSetId: number): void {
    this.#publish(
      { type: 'scale-set.registered', what, githubScaleSetId },
      `${githubScaleSetId}-${what}`,
    );
  }

  conditionChanged(condition: ConditionType, text: string | undefined): void {
    const at = isoNow(this.#deps.clock);
    const more = text === undefined ? {} : { text };
    this.#publish({ type: 'condition.changed', condition, ...more }, `${condition}-${at}`);
  }

  /** Resolves when all is published, or after a second. */
  async settled(): Promise<void> {
    const over = new AbortController();
    const limit = this.#deps.clock.sleep(settleMs, over.signal).catch(() => undefined);
    await Promise.race([this.#publishing, limit]);
    over.abort();
  }

  #publish(fact: Fact, id: string): void {
    const { clock, log } = this.#deps;
    if (this.#pending >= maxPending) {
      log.debug({ type: fact.type }, 'event dropped, too many wait for nats');
      return;
    }
    const event = {
      v: 1,
      scaleSetId: this.#scaleSetId,
      at: isoNow(clock),
      by: this.#by,
      epoch: this.epoch,
      ...fact,
    };
    const messageId = `${fact.type}-${this.#scaleSetId}-${this.epoch}-${id}`;
    this.#pending += 1;
    this.#publishing = this.#publishing
      .then(() => this.#send(event, messageId))
      .finally(() => {
        this.#pending -= 1;
      });
  }

  async #send(event: Fact, messageId: string): Promise<void> {
    const { publisher, clock, log } = this.#deps;
    const [entity = '', what = ''] = event.type.split('.');
    const subject = eventSubject('listener', this.#scaleSetId, entity, what);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await publisher.publishOnce(subject, event, { messageId });
        return;
      } catch (err) {
        if (attempt >= attempts) {
          log.debug({ type: event.type, err }, 'event could not be published');
          return;
        }
      }
      await clock.sleep(retryMs);
    }
  }
}

/** How a scale set came to be known at GitHub; `again` when it had gone. */
export type RegisteredHow = Extract<ScaleSetEvent, { type: 'scale-set.registered' }>['what'];
