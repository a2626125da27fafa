import type { Consumer, JsMsg } from 'nats';
import type { z } from 'zod';
import { deadSubject } from '../contracts/index.ts';
import { AppError, errorText } from '../errors/index.ts';
import { attributes, type Logger, type Span } from '../telemetry/index.ts';
import { isAborted, isoNow } from '../time/index.ts';
import type { Nats } from './connect.ts';
import { inProcessSpan, traceparentOf } from './message-spans.ts';
import { natsFailure } from './nats-error.ts';
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
  /** How many pull at once; `concurrency` times `batch` messages are handled at once. */
  concurrency: number;
  /** How many each hand takes at once: all of them are handled side by side. Default 1. */
  batch?: number;
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
/** A request for a message is made again after this time, in ms. */
const pullMs = 10_000;

/**
 * Handles the messages of a durable pull consumer until `stop` is aborted; then pulls no more and
 * waits for what is in flight. `abort` cuts those short. Never rejects for trouble with NATS: the
 * consumer is opened again, for as long as it takes.
 */
export async function consumeLoop<S extends z.ZodType>(
  given: ConsumeOptions<S>,
  stop: AbortSignal,
  abort: AbortSignal,
): Promise<void> {
  const options = { ...given, log: given.log.child({ component: 'message' }) };
  const hands = Array.from({ length: options.concurrency }, (_, hand) =>
    consumeInTurn(options, hand, stop, abort),
  );
  await Promise.all(hands);
}

/**
 * Pulls messages only when they can be handled at once. One that waited in this process would not be
 * reported as in progress: it would come again while it waits, and no other process could have it.
 */
async function consumeInTurn<S extends z.ZodType>(
  options: ConsumeOptions<S>,
  hand: number,
  stop: AbortSignal,
  abort: AbortSignal,
): Promise<void> {
  const { nats, log, stream, consumer } = options;
  const handling = new Set<Promise<void>>();
  const handle = (message: JsMsg) => {
    const done = handleMessage(options, message, abort).finally(() => handling.delete(done));
    handling.add(done);
  };
  while (!stop.aborted) {
    try {
      const source = await nats.connection
        .jetstream({ timeout: 2_000 })
        .consumers.get(stream, consumer);
      while (!isAborted(stop)) {
        const room = await roomIn(handling, options.batch ?? 1);
        await pull(source, room, stop, handle);
      }
    } catch (cause) {
      const err = natsFailure(`pull from ${consumer}`, cause, nats);
      // All hands meet the same trouble; one tells of it.
      if (hand === 0) log.warn({ stream, consumer, err }, 'consumer was interrupted');
      await nats.clock.sleep(reopenMs, stop).catch(() => undefined);
    }
  }
  await Promise.all(handling);
}

/** How many more can be handled at once; waits until that is one at least. */
async function roomIn(handling: ReadonlySet<Promise<void>>, batch: number): Promise<number> {
  while (handling.size >= batch) await Promise.race(handling);
  return batch - handling.size;
}

/** Takes the next messages as they come, until there were `room`, time is up, or `stop` is aborted. */
async function pull(
  source: Consumer,
  room: number,
  stop: AbortSignal,
  handle: (message: JsMsg) => void,
): Promise<void> {
  const messages = await source.fetch({ max_messages: room, expires: pullMs });
  const closing = () => messages.stop();
  stop.addEventListener('abort', closing, { once: true });
  try {
    if (stop.aborted) closing();
    for await (const message of messages) handle(message);
  } finally {
    stop.removeEventListener('abort', closing);
  }
}

async function handleMessage<S extends z.ZodType>(
  options: ConsumeOptions<S>,
  message: JsMsg,
  signal: AbortSignal,
): Promise<void> {
  const { nats, consumer, heartbeatMs } = options;
  const heartbeat = setInterval(() => message.working(), heartbeatMs);
  const began = nats.clock.monotonic();
  await inProcessSpan(message, async (span) => {
    const outcome = await handleOnce(options, message, { span, signal });
    nats.messages.handled(consumer, outcome, nats.clock.monotonic() - began);
  }).finally(() => clearInterval(heartbeat));
}

/** Never rejects. */
async function handleOnce<S extends z.ZodType>(
  options: ConsumeOptions<S>,
  message: JsMsg,
  { span, signal }: { span: Span; signal: AbortSignal },
): Promise<Outcome['kind'] | 'unsettled'> {
  try {
    const outcome = await runHandler(options, message, signal);
    span.set({ [attributes.outcome]: outcome.kind });
    if (outcome.kind === 'reject') span.fail(new AppError('contract', outcome.reason));
    await settle(options, message, outcome, signal);
    return outcome.kind;
  } catch (err) {
    span.fail(err);
    options.log.warn(
      { subject: message.subject, err },
      'message could not be settled, it comes again',
    );
    return 'unsettled';
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
    const traceparent = traceparentOf(message);
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
      {
        messageId: `dead-${info.stream}-${info.streamSequence}`,
        // What it carried itself: who handles it again goes on with that.
        traceparent: traceparentOf(message),
        signal,
      },
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
