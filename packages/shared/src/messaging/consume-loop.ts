import type { ConsumerMessages, JsMsg } from 'nats';
import type { z } from 'zod';
import { deadSubject } from '../contracts/index.ts';
import { errorText } from '../errors/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { isoNow } from '../time/index.ts';
import type { Nats } from './connect.ts';
import { type Outcome, reject, retryLater } from './outcome.ts';
import type { Publisher } from './publisher.ts';

interface ConsumeOptions<S extends z.ZodType> {
  nats: Nats;
  publisher: Publisher;
  log: Logger;
  /** Name of the service, for dead letters. */
  service: string;
  stream: string;
  consumer: string;
  schema: S;
  /** How many messages are handled at once. */
  concurrency: number;
  /** A message that is being handled is reported as in progress this often, in ms. */
  heartbeatMs: number;
  /** Deliveries after which a message becomes a dead letter. */
  maxDeliveries: number;
  /** Must be safe to run twice for one message. */
  handle: (message: z.infer<S>, context: DeliveryContext) => Promise<Outcome>;
}

interface DeliveryContext {
  subject: string;
  /** 1 for the first delivery. */
  delivery: number;
  traceparent: string | undefined;
  /** Aborted when the drain budget is used up. */
  signal: AbortSignal;
}

const reopenMs = 500;

/**
 * Handles the messages of a durable pull consumer until `stop` is aborted; then pulls no more and
 * waits for what is in flight. `abort` cuts those short. Never rejects for trouble with NATS: the
 * consumer is opened again, for as long as it takes.
 */
export async function consumeLoop<S extends z.ZodType>(
  options: ConsumeOptions<S>,
  stop: AbortSignal,
  abort: AbortSignal,
): Promise<void> {
  const { nats, log, stream, consumer } = options;
  const inFlight = new Set<Promise<void>>();
  while (!stop.aborted) {
    try {
      await consumeOnce(options, inFlight, stop, abort);
    } catch (err) {
      log.warn({ stream, consumer, err }, 'consumer was interrupted, opening it again');
    }
    await nats.clock.sleep(reopenMs, stop).catch(() => undefined);
  }
  await Promise.all(inFlight);
}

async function consumeOnce<S extends z.ZodType>(
  options: ConsumeOptions<S>,
  inFlight: Set<Promise<void>>,
  stop: AbortSignal,
  abort: AbortSignal,
): Promise<void> {
  const { nats, stream, consumer, concurrency } = options;
  const source = await nats.connection
    .jetstream({ timeout: 2_000 })
    .consumers.get(stream, consumer);
  const messages = await source.consume({ max_messages: concurrency, expires: 10_000 });
  const closing = () => messages.stop();
  stop.addEventListener('abort', closing, { once: true });
  void endWhenConsumerIsGone(messages);
  try {
    if (stop.aborted) messages.stop();
    for await (const message of messages) {
      const work = handleMessage(options, message, abort).finally(() => inFlight.delete(work));
      inFlight.add(work);
      if (inFlight.size >= concurrency) await Promise.race(inFlight);
    }
  } finally {
    stop.removeEventListener('abort', closing);
    messages.stop();
  }
}

/**
 * A consumer or stream that was made again is found only by opening it again. The client does not end
 * this iterator when the messages are stopped, so nobody waits for it.
 */
async function endWhenConsumerIsGone(messages: ConsumerMessages): Promise<void> {
  for await (const { type } of await messages.status()) {
    if (
      type === 'consumer_not_found' ||
      type === 'stream_not_found' ||
      type === 'consumer_deleted'
    ) {
      messages.stop();
    }
  }
}

async function handleMessage<S extends z.ZodType>(
  options: ConsumeOptions<S>,
  message: JsMsg,
  signal: AbortSignal,
): Promise<void> {
  const { log, heartbeatMs } = options;
  const heartbeat = setInterval(() => message.working(), heartbeatMs);
  try {
    const outcome = await runHandler(options, message, signal);
    await settle(options, message, outcome, signal);
  } catch (err) {
    log.warn({ subject: message.subject, err }, 'message could not be settled, it comes again');
  } finally {
    clearInterval(heartbeat);
  }
}

async function runHandler<S extends z.ZodType>(
  { schema, handle, log, maxDeliveries }: ConsumeOptions<S>,
  message: JsMsg,
  signal: AbortSignal,
): Promise<Outcome> {
  const delivery = message.info.redeliveryCount;
  const parsed = schema.safeParse(parseJson(message.string()));
  if (!parsed.success)
    return reject(`the message does not match its schema: ${parsed.error.message}`);
  try {
    const traceparent = message.headers?.get('traceparent') || undefined;
    return await handle(parsed.data, { subject: message.subject, delivery, traceparent, signal });
  } catch (err) {
    if (delivery >= maxDeliveries)
      return reject(`gave up after ${delivery} deliveries: ${errorText(err)}`);
    log.warn({ subject: message.subject, delivery, err }, 'message failed, it comes again');
    return retryLater(Math.min(10_000, 250 * 2 ** delivery), errorText(err));
  }
}

async function settle<S extends z.ZodType>(
  { publisher, service, nats, log }: ConsumeOptions<S>,
  message: JsMsg,
  outcome: Outcome,
  signal: AbortSignal,
): Promise<void> {
  if (outcome.kind === 'done') message.ack();
  else if (outcome.kind === 'retry') message.nak(outcome.delayMs);
  else {
    const { subject, info } = message;
    log.error({ subject, reason: outcome.reason }, 'message became a dead letter');
    await publisher.publish(
      deadSubject(service, 'message'),
      {
        v: 1,
        service,
        kind: 'message',
        reason: outcome.reason,
        subject,
        body: message.string(),
        at: isoNow(nats.clock),
      },
      { messageId: `dead-${info.stream}-${info.streamSequence}`, signal },
    );
    message.term();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
