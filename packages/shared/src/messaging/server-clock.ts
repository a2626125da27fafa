import { AckPolicy, DeliverPolicy, nanos } from 'nats';
import { streams } from '../contracts/index.ts';
import { clockDifference } from '../time/index.ts';
import type { Nats } from './connect.ts';
import { natsFailure } from './nats-error.ts';

/**
 * How far our clock is ahead of nats-server's, in ms, for certain. NATS tells its time nowhere, so a
 * consumer is made, which carries it, reads nothing and goes by itself after a second.
 */
export async function natsClockAheadMs({ connection, clock }: Nats): Promise<number> {
  try {
    const jsm = await connection.jetstreamManager({ timeout: 5_000, checkAPI: false });
    const earliestMs = clock.now();
    const { created } = await jsm.consumers.add(streams.dead, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.New,
      inactive_threshold: nanos(1_000),
      mem_storage: true,
    });
    const own = { earliestMs, latestMs: clock.now() };
    const serverMs = Date.parse(String(created));
    // The client reads it to the millisecond.
    return clockDifference({ other: { earliestMs: serverMs, latestMs: serverMs + 1 }, own });
  } catch (cause) {
    throw natsFailure('read the clock of nats-server', cause);
  }
}
