import type { JsMsg } from 'nats';
import {
  activeTraceparent,
  attributes,
  inSpan,
  parseTraceparent,
  type Span,
} from '../telemetry/index.ts';
import type { StoredLetter } from './dead-letters-join.ts';
import { messageType } from './message-type.ts';

interface Published {
  subject: string;
  messageId?: string | undefined;
  /** Of the runner that the message is about. */
  traceparent?: string | undefined;
}

/**
 * Publishes as a span `publish <type>`, and gives what the message is to carry: what it was told, or else
 * the active span. Never the span itself: a process that is killed does not tell of it, and what
 * follows from the message would have no parent. Without either there is no span.
 */
export async function inPublishSpan(
  { subject, messageId, traceparent }: Published,
  publish: (carried: string | undefined, span: Span | undefined) => Promise<void>,
): Promise<void> {
  const active = activeTraceparent();
  const carried = traceparent ?? active;
  if (carried === undefined) return await publish(undefined, undefined);
  // Where it was published from, as far as that is part of the same trace.
  const isElsewhere = carried !== active && traceIdOf(active) !== traceIdOf(carried);
  const { name, told } = about(subject, { operation: 'publish', type: 'send', messageId });
  const parent = isElsewhere ? { parent: carried } : {};
  await inSpan(`publish ${name}`, { kind: 'producer', ...parent, attributes: told }, (span) => {
    return publish(carried, span);
  });
}

/** Handles a message as a span `process <type>`, a child of what the message carries. */
export async function inProcessSpan(
  message: Pick<JsMsg, 'subject' | 'headers' | 'info'>,
  work: (span: Span) => Promise<void>,
): Promise<void> {
  const { subject, headers, info } = message;
  const messageId = headers?.get('Nats-Msg-Id') || undefined;
  const { name, told } = about(subject, { operation: 'process', type: 'process', messageId });
  told[attributes.consumer] = info.consumer;
  told[attributes.delivery] = info.redeliveryCount;
  const parent = traceparentOf(message) ?? null;
  await inSpan(`process ${name}`, { kind: 'consumer', parent, attributes: told }, work);
}

/**
 * Handles a dead letter again as a span `process <type>` of the trace that the message belonged to, linked to
 * the replay that was asked for; as a part of that where the message had none.
 */
export async function inReplaySpan<T>(
  { subject, traceparent }: Pick<StoredLetter, 'subject' | 'traceparent'>,
  work: () => Promise<T>,
): Promise<T> {
  const parent = parseTraceparent(traceparent) ? traceparent : undefined;
  const links = parent === undefined ? [] : [activeTraceparent()];
  const { name, told } = subject === undefined ? unknown : about(subject, replay);
  const options = { kind: 'consumer', parent, links, attributes: told } as const;
  return await inSpan(`process ${name}`, options, work);
}

/** What a message carries; undefined when that is nothing, or no `traceparent`. */
export function traceparentOf({ headers }: Pick<JsMsg, 'headers'>): string | undefined {
  const carried = headers?.get('traceparent');
  return parseTraceparent(carried) ? carried : undefined;
}

function traceIdOf(traceparent: string | undefined): string | undefined {
  return parseTraceparent(traceparent)?.traceId;
}

const replay = { operation: 'replay', type: 'process' } as const;
const unknown = { name: 'message', told: {} };

interface Operation {
  operation: string;
  type: 'send' | 'process';
  messageId?: string | undefined;
}

function about(subject: string, { operation, type, messageId }: Operation) {
  const { name, template } = messageType(subject);
  const told: Record<string, string | number | undefined> = {
    [attributes.messagingSystem]: 'nats',
    [attributes.messagingOperation]: operation,
    [attributes.messagingOperationType]: type,
    [attributes.destination]: subject,
    [attributes.destinationTemplate]: template,
    [attributes.messageId]: messageId,
  };
  return { name, told };
}
