import { type Runner, runnerStates } from '@baton/shared/contracts';
import { repeat } from '@baton/shared/lifecycle';
import { type Backlog, type Nats, readBacklog } from '@baton/shared/messaging';
import type { Random } from '@baton/shared/retry';
import type { RunnerCopy } from '@baton/shared/stores';
import {
  gauge,
  type Logger,
  type Measurement,
  type Metrics,
  type NumberSource,
} from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';

interface GaugeDeps {
  nats: Nats;
  copy: RunnerCopy;
  clock: Clock;
}

interface WatchOptions extends GaugeDeps {
  metrics: Metrics;
  random: Random;
  log: Logger;
  signal: AbortSignal;
}

/** The time between two looks, in ms. A scrape shows the last one. */
const everyMs = 15_000;

/** Shows on `/metrics` what waits, and looks for it now and then until the signal is aborted. */
export async function watchGauges({ metrics, ...options }: WatchOptions): Promise<void> {
  const gauges = new JanitorGauges(options);
  metrics.add(...gauges.sources);
  await repeat({ ...options, what: 'gauges', everyMs }, () => gauges.look());
}

/** What records say of all runners. */
interface Census {
  states: ReadonlyMap<string, number>;
  /** When the oldest mark was made that is still to be carried out, ms. */
  oldestMarkMs: number | undefined;
  /** Runners without an instance whose registration GitHub has not let go of. */
  owed: number;
}

/**
 * Gauges of the whole installation: every janitor shows the same. What could not be read is absent until
 * it can be again, so that nobody takes an old number for one of now.
 */
export class JanitorGauges {
  readonly sources: readonly NumberSource[];
  readonly #deps: GaugeDeps;
  #census: Census | undefined;
  #backlog: Backlog | undefined;

  constructor(deps: GaugeDeps) {
    this.#deps = deps;
    const lag = (read: (one: Backlog['consumers'][number]) => number) => () =>
      (this.#backlog?.consumers ?? []).map((one) => ({
        value: read(one),
        labels: { consumer: one.consumer },
      }));
    this.sources = [
      gauge('baton_runners', 'Runners that have a record, by state.', () =>
        [...(this.#census?.states ?? [])].map(([state, value]) => ({ value, labels: { state } })),
      ),
      gauge('baton_oldest_marked_seconds', 'Age of the oldest mark that is not carried out.', () =>
        this.#oldestMarked(),
      ),
      gauge('baton_owed_deregistrations', 'Runners that are gone and still registered.', () =>
        this.#census ? [{ value: this.#census.owed, labels: {} }] : [],
      ),
      gauge('baton_dead_letters', 'Dead letters that are stored, by service.', () =>
        [...(this.#backlog?.deadLetters ?? [])].map(([service, value]) => ({
          value,
          labels: { service },
        })),
      ),
      gauge(
        'baton_consumer_pending',
        'Messages that a consumer has not given to anybody yet.',
        lag(({ pending }) => pending),
      ),
      gauge(
        'baton_consumer_ack_pending',
        'Messages that are being handled.',
        lag(({ ackPending }) => ackPending),
      ),
      gauge(
        'baton_consumer_redelivered',
        'Of the messages that are being handled, those that were given more than once.',
        lag(({ redelivered }) => redelivered),
      ),
    ];
  }

  /** @throws AppError `nats`: what could not be read is absent then. */
  async look(): Promise<void> {
    const { nats, copy } = this.#deps;
    const [records, backlog] = await Promise.allSettled([copy.sync(), readBacklog(nats)]);
    this.#census =
      records.status === 'fulfilled' ? takeCensus(copy.all().map(({ value }) => value)) : undefined;
    this.#backlog = backlog.status === 'fulfilled' ? backlog.value : undefined;
    for (const read of [records, backlog]) if (read.status === 'rejected') throw read.reason;
  }

  #oldestMarked(): Measurement[] {
    if (!this.#census) return [];
    const { oldestMarkMs } = this.#census;
    const ageMs = oldestMarkMs === undefined ? 0 : this.#deps.clock.now() - oldestMarkMs;
    return [{ value: Math.max(0, ageMs) / 1_000, labels: {} }];
  }
}

/** Pure. */
function takeCensus(runners: readonly Runner[]): Census {
  const states = new Map<string, number>(runnerStates.map((state) => [state, 0]));
  let oldestMarkMs: number | undefined;
  let owed = 0;
  for (const { state, mark, deletion } of runners) {
    states.set(state, (states.get(state) ?? 0) + 1);
    if (mark)
      oldestMarkMs = Math.min(oldestMarkMs ?? Number.POSITIVE_INFINITY, Date.parse(mark.at));
    if (deletion?.instanceDeleted && !deletion.deregistered) owed += 1;
  }
  return { states, oldestMarkMs, owed };
}
