import type { JobMessage, JobsMessage, UnreadableMessage } from '@baton/scaleset';
import { deadSubject, eventSubject, type Position, type RingEntry } from '@baton/shared/contracts';
import { isTooLarge, type Publisher } from '@baton/shared/messaging';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isoNow } from '@baton/shared/time';
import { factId, messageName } from './core/fact-id.ts';
import { factTypes, translateJobs } from './core/translate-message.ts';
import type { StoreWatch } from './store-watch.ts';

interface FactsDeps {
  publisher: Publisher;
  store: StoreWatch;
  clock: Clock;
  log: Logger;
  metrics?: { deadLetter: (scaleSetId: string) => void } | undefined;
}

interface FactsOptions {
  scaleSetId: string;
  githubScaleSetId: number;
  /** Aborted when the listener must stop acting on the scale set. */
  signal: AbortSignal;
}

/** Where something comes from. */
export interface Origin {
  entry: RingEntry;
  /** Of the poll that brought the message; its events carry it on. */
  traceparent: string | undefined;
}

/** What is kept for people because nobody else can use it. */
interface Letter {
  reason: string;
  body: string;
  /** Names it within its message, so that it is kept once. */
  name: string;
}

/**
 * Of one dead letter, in characters; a longer body comes in parts. NATS takes a MiB, and JSON makes up
 * to six bytes of a character.
 */
const maxBodyLength = 150_000;
/** Writes what messages say into NATS: facts as events, what is not understood as dead letters. */
export class FactWriter {
  readonly #deps: FactsDeps;
  readonly #options: FactsOptions;

  constructor(deps: FactsDeps, options: FactsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Publishes one event for each job, all under ids that repeat with the message. An entry that
   * cannot become an event is kept as a dead letter and does not keep the others from being facts.
   */
  async publish(message: JobsMessage, origin: Origin, position: Position): Promise<void> {
    const { scaleSetId } = this.#options;
    const context = { scaleSetId, position, at: isoNow(this.#deps.clock) };
    const written = message.jobs.map(async (job, part) => {
      if (job.kind === 'unknown') {
        await this.#keepUnknown(job, origin, part);
        return;
      }
      const [event] = translateJobs([job], context);
      if (event) await this.#publishFact(event, { job, origin, part });
    });
    // All of them, also when one fails: the message must not come back while they are under way.
    const failed = (await Promise.allSettled(written)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  /** Keeps a whole message that nobody understands. */
  async buryUnreadable({ problem, raw }: UnreadableMessage, origin: Origin): Promise<void> {
    await this.#bury(origin, { reason: problem, body: raw, name: 'message' });
  }

  /** Keeps a whole message that cannot be handled, as the array that its body was. */
  async buryMessage({ jobs }: JobsMessage, origin: Origin, reason: string): Promise<void> {
    const body = `[${jobs.map(({ raw }) => raw).join(',')}]`;
    await this.#bury(origin, { reason, body, name: 'message' });
  }

  async #keepUnknown(
    { messageType, problem, raw }: Extract<JobMessage, { kind: 'unknown' }>,
    origin: Origin,
    part: number,
  ): Promise<void> {
    this.#deps.log.warn({ type: messageType, problem }, 'job message not understood');
    if (messageType === undefined || !factTypes.has(messageType)) return;
    await this.#bury(origin, { reason: `${messageType}: ${problem}`, body: raw, name: `${part}` });
  }

  async #publishFact(
    event: ReturnType<typeof translateJobs>[number],
    { job, origin, part }: { job: JobMessage; origin: Origin; part: number },
  ): Promise<void> {
    const { scaleSetId } = this.#options;
    const subject = eventSubject('listener', scaleSetId, ...splitType(event.type));
    const messageId = factId(this.#options, origin.entry, part);
    try {
      await this.#store(subject, event, { ...origin, messageId });
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      const reason = `${event.type}: larger than NATS takes`;
      await this.#bury(origin, { reason, body: job.raw, name: `${part}` });
    }
  }

  async #bury(origin: Origin, { reason, body, name }: Letter): Promise<void> {
    const { entry } = origin;
    const { clock, log, metrics } = this.#deps;
    const { scaleSetId } = this.#options;
    log.error({ messageId: entry.messageId, reason }, 'message became a dead letter');
    metrics?.deadLetter(scaleSetId);
    const parts = Math.max(1, Math.ceil(body.length / maxBodyLength));
    for (let part = 0; part < parts; part += 1) {
      await this.#store(
        deadSubject('listener', 'message'),
        {
          v: 1,
          service: 'listener',
          kind: 'message',
          scaleSetId,
          origin: {
            githubScaleSetId: this.#options.githubScaleSetId,
            ...entry,
            ...(name === 'message' ? {} : { entry: Number(name) }),
          },
          reason,
          ...(parts > 1 ? { part: part + 1, parts } : {}),
          body: body.slice(part * maxBodyLength, (part + 1) * maxBodyLength),
          at: isoNow(clock),
        },
        { ...origin, messageId: `dead-${this.#nameOf(entry)}-${name}-${part}` },
      );
    }
  }

  async #store(
    subject: string,
    data: unknown,
    { messageId, traceparent }: Origin & { messageId: string },
  ): Promise<void> {
    const { publisher, store } = this.#deps;
    const { signal } = this.#options;
    const options = { messageId, traceparent, signal, onFailure: store.failed };
    await store.during(() => publisher.publish(subject, data, options));
  }

  /**
   * Ids of messages start again for a new scale set and were seen to restart: the body is part. Ids
   * of scale sets are GitHub's, and two servers may give the same ones: ours is part.
   */
  #nameOf(entry: RingEntry): string {
    return messageName(this.#options, entry);
  }
}

function splitType(type: string): [entity: string, what: string] {
  const [entity = '', what = ''] = type.split('.');
  return [entity, what];
}
