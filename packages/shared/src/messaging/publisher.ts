import { headers, type JetStreamClient } from 'nats';
import { AppError } from '../errors/index.ts';
import { backoffMs, type Random } from '../retry/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Clock } from '../time/index.ts';
import type { Nats } from './connect.ts';
import { inPublishSpan } from './message-spans.ts';
import { natsFailure } from './nats-error.ts';

interface PublishOptions {
  /** `Nats-Msg-Id`: a second publish with the same id within two minutes stores nothing. */
  messageId?: string;
  /** What the message carries, such as a runner's. Default: the active span. */
  traceparent?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Of `publish`: told why an attempt failed that is repeated. */
  onFailure?: ((error: unknown) => void) | undefined;
}

const policy = { baseMs: 100, maxMs: 2_000, minMs: 20 };
const encoder = new TextEncoder();

/** Publishes to JetStream and waits for the acknowledgement. */
export class Publisher {
  readonly #nats: Nats;
  readonly #js: JetStreamClient;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(nats: Nats, log: Logger, random: Random = Math.random) {
    this.#nats = nats;
    this.#js = nats.connection.jetstream({ timeout: 2_000 });
    this.#log = log.child({ component: 'nats' });
    this.#clock = nats.clock;
    this.#random = random;
  }

  /** One attempt. Throws `AppError` `nats` when NATS did not confirm: it may be stored or not. */
  async publishOnce(subject: string, data: unknown, options: PublishOptions = {}): Promise<void> {
    await inPublishSpan({ ...options, subject }, async (traceparent) => {
      await this.#send(subject, data, { ...options, traceparent });
    });
  }

  /**
   * Tries until NATS has confirmed, or `signal` is aborted. Give a `messageId`: it may repeat.
   * @throws AppError `nats`, not retryable, when NATS refuses for good: too large, or not permitted.
   */
  async publish(subject: string, data: unknown, options: PublishOptions = {}): Promise<void> {
    await inPublishSpan({ ...options, subject }, async (traceparent, span) => {
      for (let attempt = 0; ; attempt += 1) {
        options.signal?.throwIfAborted();
        try {
          await this.#send(subject, data, { ...options, traceparent });
          return;
        } catch (err) {
          if (err instanceof AppError && !err.retryable) throw err;
          options.onFailure?.(err);
          span?.event('not confirmed', { attempt });
          this.#log.warn({ subject, attempt, err }, 'publish was not confirmed, trying again');
        }
        await this.#clock.sleep(backoffMs(attempt, policy, this.#random), options.signal);
      }
    });
  }

  async #send(
    subject: string,
    data: unknown,
    { traceparent, messageId }: PublishOptions,
  ): Promise<void> {
    const messageHeaders = headers();
    if (traceparent) messageHeaders.set('traceparent', traceparent);
    try {
      await this.#js.publish(subject, encoder.encode(JSON.stringify(data)), {
        headers: messageHeaders,
        ...(messageId ? { msgID: messageId } : {}),
      });
    } catch (cause) {
      throw natsFailure(`publish to ${subject}`, cause, this.#nats);
    }
  }
}
