import type { JetStreamManager } from 'nats';
import { type ConsumerDefinition, topology } from '../contracts/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Clock } from '../time/index.ts';
import type { Nats } from './connect.ts';
import { natsFailure } from './nats-error.ts';

type Watched = Pick<ConsumerDefinition, 'stream' | 'name'>;

interface WatchOptions {
  /** Is asked for what is degraded. */
  health: {
    watchDegraded(part: string, check: () => Iterable<readonly [string, string]>): () => void;
  };
  log: Logger;
  signal: AbortSignal;
}

/** Time between two looks, in ms. */
const everyMs = 2_000;
const requestTimeoutMs = 2_000;
/** A message that waits for so long makes its consumer lag, in ms; it does until none waits for half. */
export const lateMs = 10_000;

/** What is known of one consumer from looks at it. */
export interface Lag {
  /** Monotonic time since when there was something unhandled at every look. */
  busySince: number;
  /** How long the oldest message has waited at least, and how many there are; undefined: no lag. */
  late: { forMs: number; count: number } | undefined;
}

/** One look: how many messages are not handled, and the wall clock of the oldest, if it was looked for. */
export interface Look {
  count: number;
  oldestAt: number | undefined;
}

/**
 * What a look adds. By two clocks, that of the server and the time for which it was never empty here: one
 * that is wrong alone makes no lag. It ends at half of where it begins, so that it does not flicker. Pure.
 */
export function nextLag(
  before: Lag | undefined,
  look: Look,
  now: { monotonic: number; wall: number },
): Lag | undefined {
  if (look.count === 0) return undefined;
  const busySince = before?.busySince ?? now.monotonic;
  const busyMs = now.monotonic - busySince;
  const forMs = look.oldestAt === undefined ? 0 : Math.min(busyMs, now.wall - look.oldestAt);
  const isLate = forMs >= (before?.late ? lateMs / 2 : lateMs);
  return { busySince, late: isLate ? { forMs, count: look.count } : undefined };
}

/**
 * Looks at consumers, by their names, until the signal is aborted, and says of which the oldest message has waited for
 * long: nobody takes it, or a handler does not end. Never rejects.
 */
export async function watchLag(
  nats: Nats,
  names: readonly string[],
  options: WatchOptions,
): Promise<void> {
  const { health, log, signal } = options;
  const all = topology({ leaseTtlMs: 0 }).consumers;
  const consumers = all.filter(({ name }) => names.includes(name));
  const { clock } = nats;
  const lags = new Map<string, Lag>();
  const end = health.watchDegraded('consumer', () => textsOf(lags));
  const jsm = await managerOf(nats);
  while (!signal.aborted) {
    for (const consumer of consumers) {
      try {
        const before = lags.get(consumer.name);
        const look = await lookAt(jsm, consumer, isDue(before, clock));
        const now = { monotonic: clock.monotonic(), wall: clock.now() };
        const lag = nextLag(before, look, now);
        if (lag) lags.set(consumer.name, lag);
        else lags.delete(consumer.name);
      } catch (cause) {
        // Not known: the connection itself tells of that.
        lags.delete(consumer.name);
        const err = natsFailure(`look at consumer ${consumer.name}`, cause, nats);
        log.debug({ consumer: consumer.name, err }, 'consumer could not be looked at');
      }
    }
    await clock.sleep(everyMs, signal).catch(() => undefined);
  }
  end();
}

function managerOf({ connection }: Nats): Promise<JetStreamManager> {
  return connection.jetstreamManager({ timeout: requestTimeoutMs, checkAPI: false });
}

/** The message itself is asked for only when it may be old. */
function isDue(lag: Lag | undefined, clock: Clock): boolean {
  return lag !== undefined && clock.monotonic() - lag.busySince >= lateMs / 2;
}

async function lookAt(
  jsm: JetStreamManager,
  { stream, name }: Watched,
  withOldest: boolean,
): Promise<Look> {
  const info = await jsm.consumers.info(stream, name);
  const count = info.num_pending + info.num_ack_pending;
  if (count === 0 || !withOldest) return { count, oldestAt: undefined };
  // The first after all that are acknowledged: given to nobody, or to somebody who does not end.
  const after = { seq: info.ack_floor.stream_seq + 1, next_by_subj: info.config.filter_subject };
  const oldest = await jsm.streams.getMessage(stream, after);
  return { count, oldestAt: oldest.time.getTime() };
}

function* textsOf(lags: ReadonlyMap<string, Lag>): Iterable<readonly [string, string]> {
  for (const [name, { late }] of lags) {
    if (!late) continue;
    const seconds = Math.round(late.forMs / 1_000);
    yield [name, `${late.count} messages are not handled, the oldest for ${seconds} s`];
  }
}
