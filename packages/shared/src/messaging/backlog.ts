import { replayServices, streams, topology } from '../contracts/index.ts';
import type { Nats } from './connect.ts';
import { natsFailure } from './nats-error.ts';

/** How far a consumer is behind. */
interface ConsumerLag {
  consumer: string;
  /** Messages that nobody was given yet. */
  pending: number;
  /** That somebody was given and has not acknowledged. */
  ackPending: number;
  /** Of these, those that were given more than once. */
  redelivered: number;
}

/** What lies in the streams and waits for somebody. */
export interface Backlog {
  /** Stored dead letters by service, of every service; a long one counts for each of its parts. */
  deadLetters: ReadonlyMap<string, number>;
  consumers: readonly ConsumerLag[];
}

const requestTimeoutMs = 5_000;
const anyDeadLetter = 'baton.v1.dead.>';

/**
 * Asks the server, one request for the dead letters and one for each consumer.
 * @throws AppError `nats`
 */
export async function readBacklog({ connection }: Nats): Promise<Backlog> {
  const { consumers } = topology({ leaseTtlMs: 0 });
  try {
    const jsm = await connection.jetstreamManager({ timeout: requestTimeoutMs, checkAPI: false });
    const [dead, ...infos] = await Promise.all([
      jsm.streams.info(streams.dead, { subjects_filter: anyDeadLetter }),
      ...consumers.map(({ stream, name }) => jsm.consumers.info(stream, name)),
    ]);
    return {
      deadLetters: byService(dead.state.subjects ?? {}),
      consumers: infos.map(({ name, num_pending, num_ack_pending, num_redelivered }) => ({
        consumer: name,
        pending: num_pending,
        ackPending: num_ack_pending,
        redelivered: num_redelivered,
      })),
    };
  } catch (cause) {
    throw natsFailure('read backlog', cause);
  }
}

function byService(subjects: Readonly<Record<string, number>>): Map<string, number> {
  const counts = new Map<string, number>(replayServices.map((service) => [service, 0]));
  for (const [subject, count] of Object.entries(subjects)) {
    const service = subject.split('.')[3] ?? '';
    counts.set(service, (counts.get(service) ?? 0) + count);
  }
  return counts;
}
