import { deadSubject, type ReplayService } from '@baton/shared/contracts';
import { type Outcome, Publisher, replayLoop } from '@baton/shared/messaging';
import { silentLogger } from '@baton/shared/telemetry';
import { at, id } from './builders.ts';
import type { startTestNats } from './setup.ts';

type TestNats = Awaited<ReturnType<typeof startTestNats>>;

interface LetterPart {
  service?: string;
  kind?: string;
  scaleSetId?: string;
  reason?: string;
  /** More than one: the letter is written in parts. */
  bodies?: readonly string[];
}

let letters = 0;

/** Writes a dead letter as a service does; returns the sequences of its parts, its id first. */
export async function writeLetter(nats: TestNats, part: LetterPart = {}): Promise<number[]> {
  const { bodies = ['{"jobId":"j1"}'], service = 'listener', kind = 'message', ...rest } = part;
  letters += 1;
  return await nats.withNats(async ({ connection }) => {
    const js = connection.jetstream();
    const sequences: number[] = [];
    for (const [index, body] of bodies.entries()) {
      const numbers = bodies.length > 1 ? { part: index + 1, parts: bodies.length } : {};
      const letter = { v: 1, service, kind, scaleSetId: id, reason: 'odd', at, ...rest };
      const text = JSON.stringify({ ...letter, ...numbers, body });
      const options = { msgID: `dead-${letters}-message-${index}` };
      sequences.push((await js.publish(deadSubject(service, kind), text, options)).seq);
    }
    return sequences;
  });
}

/** Runs `work` while a service handles its dead letters again. */
export async function whileReplaying<T>(
  nats: TestNats,
  service: ReplayService,
  handle: (body: string) => Outcome,
  work: () => Promise<T>,
): Promise<T> {
  return await nats.withNats(async (connected) => {
    const log = silentLogger();
    const stop = new AbortController();
    const options = { nats: connected, publisher: new Publisher(connected, log), log, service };
    const loop = replayLoop(
      { ...options, handle: ({ body }) => Promise.resolve(handle(body)) },
      stop.signal,
      stop.signal,
    );
    try {
      return await work();
    } finally {
      stop.abort();
      await loop;
    }
  });
}
