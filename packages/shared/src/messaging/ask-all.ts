import { createInbox } from 'nats';
import type { Nats } from './connect.ts';

interface Asking {
  subject: string;
  question: object;
  /** Takes what one process said. May be text of any kind. */
  onAnswer: (text: string) => void;
  /** Whether somebody who said that they are there has not said the rest yet. */
  isWaiting: () => boolean;
  /** How long the rest may take, in ms. */
  timeoutMs: number;
}

/** Within this everybody says that they are there, in ms. */
const announceMs = 1_500;
const lookEveryMs = 25;

/**
 * Asks every process that listens, and waits for those that say they are there. Resolves with what was said
 * by then; soon when nobody is there.
 */
export async function askAll(nats: Nats, asking: Asking): Promise<void> {
  const { connection, clock } = nats;
  const { subject, question, onAnswer, isWaiting, timeoutMs } = asking;
  const room = { empty: false };
  const inbox = createInbox(nats.inboxPrefix);
  const subscription = connection.subscribe(inbox, {
    callback: (error, message) => {
      if (error) return;
      // nats-server itself says so, with a status and no text.
      if (message.headers?.code === 503) room.empty = true;
      else onAnswer(message.string());
    },
  });
  try {
    connection.publish(subject, JSON.stringify(question), { reply: inbox });
    await connection.flush();
    const startMs = clock.monotonic();
    const elapsed = () => clock.monotonic() - startMs;
    while (!room.empty && elapsed() < announceMs) await clock.sleep(lookEveryMs);
    while (isWaiting() && elapsed() < timeoutMs) await clock.sleep(lookEveryMs);
  } finally {
    subscription.unsubscribe();
  }
}
