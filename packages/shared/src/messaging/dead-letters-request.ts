import {
  type ReplayOutcome,
  replayedSubject,
  replayOutcomeSchema,
  replayServiceSchema,
  replaySubject,
} from '../contracts/index.ts';
import { AppError } from '../errors/index.ts';
import type { Nats } from './connect.ts';
import { DeadLetters } from './dead-letters.ts';
import type { StoredLetter } from './dead-letters-join.ts';
import type { Publisher } from './publisher.ts';

/** What became of a letter; `unanswered`: no service took it in time, and one will when it runs. */
export interface ReplayAnswer {
  letterId: number;
  outcome: 'replayed' | 'kept' | 'unanswered';
  /** Why it was kept. */
  reason?: string | undefined;
}

interface RequestOptions {
  /** Longest time without any answer, in ms. */
  timeoutMs: number;
  onAnswer: (answer: ReplayAnswer) => void;
}

type Asked = Pick<StoredLetter, 'id' | 'service' | 'sequences'>;

const lookEveryMs = 50;
/** The letters themselves are looked at every so many looks at what the services say. */
const looksPerCheck = 20;

/**
 * Asks the services to handle these letters again, and waits for what they say; `onAnswer` is called
 * once for each letter, as answers come. Repeating it is safe.
 */
export async function requestReplays(
  nats: Nats,
  publisher: Publisher,
  letters: readonly Asked[],
  { timeoutMs, onAnswer }: RequestOptions,
): Promise<void> {
  const { connection, clock } = nats;
  const stored = await DeadLetters.open(nats);
  const waiting = new Set(letters.map(({ id }) => id));
  let deadline = clock.monotonic() + timeoutMs;
  const settle = (answer: ReplayAnswer) => {
    if (!waiting.delete(answer.letterId)) return;
    deadline = clock.monotonic() + timeoutMs;
    onAnswer(answer);
  };
  const subscription = connection.subscribe(replayedSubject('*'), {
    callback: (error, message) => {
      const said = error ? undefined : readOutcome(message.string());
      if (said) settle({ letterId: said.letterId, outcome: said.outcome, reason: said.reason });
    },
  });
  try {
    await connection.flush();
    for (const letter of letters) {
      if (isReplayable(letter)) await askFor(publisher, letter, clock.now());
      else settle({ letterId: letter.id, outcome: 'kept', reason: 'no service handles it again' });
    }
    for (let look = 1; waiting.size > 0 && clock.monotonic() < deadline; look += 1) {
      await clock.sleep(lookEveryMs);
      if (look % looksPerCheck === 0) await settleGone(stored, waiting, settle);
    }
  } finally {
    subscription.unsubscribe();
  }
  for (const letterId of [...waiting]) settle({ letterId, outcome: 'unanswered' });
}

function isReplayable({ service }: Asked): boolean {
  return replayServiceSchema.safeParse(service).success;
}

/** A second request within a moment is another: what it asks for may have changed. */
async function askFor(publisher: Publisher, letter: Asked, now: number): Promise<void> {
  const { id, service, sequences } = letter;
  const messageId = `replay-${id}-${now}`;
  await publisher.publishOnce(replaySubject(service), { v: 1, sequences }, { messageId });
}

/** What a service says may be lost. */
async function settleGone(
  stored: DeadLetters,
  waiting: ReadonlySet<number>,
  settle: (answer: ReplayAnswer) => void,
): Promise<void> {
  try {
    const ids = [...waiting];
    const remaining = await stored.remaining(ids);
    for (const letterId of ids) {
      if (!remaining.has(letterId)) settle({ letterId, outcome: 'replayed' });
    }
  } catch (error) {
    // NATS may be gone for a moment; the deadline stands.
    if (!(error instanceof AppError && error.retryable)) throw error;
  }
}

function readOutcome(text: string): ReplayOutcome | undefined {
  try {
    return replayOutcomeSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
