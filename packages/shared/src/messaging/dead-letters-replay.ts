import type { z } from 'zod';
import {
  commandAckWaitMs,
  type ReplayCommand,
  type ReplayService,
  replayCommandSchema,
  replayConsumers,
  replayedSubject,
  streams,
} from '../contracts/index.ts';
import { AppError, errorText } from '../errors/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Nats } from './connect.ts';
import { consumeLoop } from './consume-loop.ts';
import { DeadLetters } from './dead-letters.ts';
import { joinParts, type StoredLetter } from './dead-letters-join.ts';
import { inReplaySpan } from './message-spans.ts';
import { done, type Outcome, reject } from './outcome.ts';
import type { Publisher } from './publisher.ts';

/**
 * Handles a letter again. `done`: its effect is durable. `reject`: it still cannot be handled. Must be
 * safe to run twice for one letter.
 */
export type LetterHandler = (letter: StoredLetter, signal: AbortSignal) => Promise<Outcome>;

interface ReplayOptions {
  nats: Nats;
  publisher: Publisher;
  log: Logger;
  service: ReplayService;
  handle: LetterHandler;
}

const concurrency = 4;

/**
 * Handles the service's own dead letters again when it is asked to, until `stop` is aborted. A letter
 * is removed only after its effect is durable; a process that dies before that leaves it, and the
 * request comes again. Never rejects, as `consumeLoop`.
 */
export async function replayLoop(
  options: ReplayOptions,
  stop: AbortSignal,
  abort: AbortSignal,
): Promise<void> {
  const { nats, publisher, log, service } = options;
  const letters = await DeadLetters.open(nats);
  await consumeLoop(
    {
      nats,
      publisher,
      log,
      service,
      stream: streams.commands,
      consumer: replayConsumers[service],
      schema: replayCommandSchema,
      concurrency,
      heartbeatMs: commandAckWaitMs / 3,
      // It can fail for trouble with NATS only, and ends with its age.
      maxDeliveries: Number.POSITIVE_INFINITY,
      handle: async (command, { signal }) => await replay(options, letters, command, signal),
    },
    stop,
    abort,
  );
}

async function replay(
  options: ReplayOptions,
  letters: DeadLetters,
  { sequences }: ReplayCommand,
  signal: AbortSignal,
): Promise<Outcome> {
  const [id = 0] = sequences;
  const parts = await letters.read(sequences);
  const [letter] = joinParts(parts);
  // Without its first part it was handled before; what is left of it only has to go.
  const outcome = letter?.id === id ? await handleAgain(options, letter, signal) : done();
  if (outcome.kind === 'retry') return outcome;
  if (outcome.kind === 'done') await letters.remove(sequences);
  report(options, id, outcome);
  return done();
}

async function handleAgain(
  { service, handle, log }: ReplayOptions,
  letter: StoredLetter,
  signal: AbortSignal,
): Promise<Outcome> {
  if (letter.service !== service) return reject(`it is a letter of the ${letter.service}`);
  if (letter.missing.length > 0) return reject(`parts are missing: ${letter.missing.join(', ')}`);
  try {
    return await inReplaySpan(letter, () => handle(letter, signal));
  } catch (err) {
    if (signal.aborted || (err instanceof AppError && err.code === 'nats' && err.retryable)) {
      throw err;
    }
    log.warn({ letterId: letter.id, err }, 'dead letter could not be handled');
    return reject(errorText(err));
  }
}

/** Whoever waits is told; when that is lost, the letter's absence tells. */
function report({ nats, service, log }: ReplayOptions, letterId: number, outcome: Outcome): void {
  const said =
    outcome.kind === 'reject'
      ? { outcome: 'kept', reason: outcome.reason }
      : { outcome: 'replayed' };
  log.info({ letterId, result: said.outcome, reason: said.reason }, 'dead letter was replayed');
  if (nats.connection.isClosed()) return;
  nats.connection.publish(replayedSubject(service), JSON.stringify({ v: 1, letterId, ...said }));
}

interface ReplayRoute {
  prefix: string;
  handle: LetterHandler;
}

/** Handles letters that were NATS messages with a subject of this prefix. */
export function replayRoute<S extends z.ZodType>(
  prefix: string,
  schema: S,
  handle: (message: z.infer<S>, signal: AbortSignal) => Promise<Outcome>,
): ReplayRoute {
  return {
    prefix,
    handle: async ({ body }, signal) => {
      const parsed = schema.safeParse(parseJson(body));
      if (parsed.success) return await handle(parsed.data, signal);
      return reject(`the message does not match its schema: ${parsed.error.message}`);
    },
  };
}

/** Handles each letter by the route of its subject. */
export function byRoute(routes: readonly ReplayRoute[]): LetterHandler {
  return async (letter, signal) => {
    const route = routes.find(({ prefix }) => letter.subject?.startsWith(prefix));
    if (!route)
      return reject(`nothing handles messages of ${letter.subject ?? 'no subject'} again`);
    return await route.handle(letter, signal);
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
