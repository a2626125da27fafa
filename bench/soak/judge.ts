import { streams, topology } from '@baton/shared/contracts';
import { percentile, rounded } from '../measure/percentiles.ts';
import { type Bound, growthOf, type Trend, trendOf } from './trend.ts';
import type { Sample } from './watch.ts';

interface ProcessReport {
  rssMb: Trend;
  handles: Trend;
  threads: Trend;
  /** Of a service: numbers on `/metrics`. */
  series?: Trend;
}

interface StreamReport {
  messages: Trend;
  mb: Trend;
  /** What its topology allows; none for a bucket. */
  limitMb?: number;
}

/** What was seen after the warm-up. */
export interface SteadyReport {
  processes: Record<string, ProcessReport>;
  /** Of each consumer: messages that were not handled. */
  lag: Record<string, { p99: number; most: number }>;
  streams: Record<string, StreamReport>;
  /** A message is a key: its value, or the mark that it was deleted. */
  buckets: Record<string, StreamReport>;
  /** Files of nats-server; the limits of its streams together. */
  storeMb: Trend & { limitMb: number; besidesFacts: Trend };
  /** What grew although it should not. */
  grew: string[];
}

/** What noise explains over the measured time; see `growthOf`. */
const bounds = {
  rssMb: { share: 0.05, least: 10 },
  /** It keeps the block that a stream writes to, of some MB, in memory and on disk until that is full. */
  natsMb: { share: 0.05, least: 32 },
  storeMb: { share: 0.1, least: 16 },
  handles: { share: 0.05, least: 5 },
  threads: { share: 0.05, least: 3 },
  series: { share: 0.05, least: 5 },
  messages: { share: 0.1, least: 20 },
  mb: { share: 0.1, least: 1 },
  lag: { share: 0.05, least: 10 },
} satisfies Record<string, Bound>;

/** They keep all that happened, since somebody has to: their memory is told and not judged. */
const bookkeepers = ['simulator', 'soak'];
/** Keeps facts for as long as its limits say. */
const log: string = streams.events;

const limitsMb = new Map(
  topology({ leaseTtlMs: 0 }).streams.map(({ name, maxBytes }) => [name, maxBytes / 1e6]),
);

/** Judges samples of an even load. Pure. */
export function judge(samples: readonly Sample[]): SteadyReport {
  const judged = new Judged(samples);
  const last = samples.at(-1);
  const each = <T>(part: Record<string, unknown> = {}, tell: (name: string) => T) =>
    Object.fromEntries(Object.keys(part).map((name) => [name, tell(name)]));
  const processes = each(last?.processes, (name) => processReport(judged, name));
  const lag = each(last?.lag, (name) => lagReport(judged, name));
  const inStreams = each(last?.streams, (name) => streamReport(judged, 'streams', name));
  const inBuckets = each(last?.buckets, (name) => streamReport(judged, 'buckets', name));
  const storeMb = storeReport(judged);
  const { grew } = judged;
  return { processes, lag, streams: inStreams, buckets: inBuckets, storeMb, grew };
}

/** Trends of samples, and what of them is growth. */
class Judged {
  readonly grew: string[] = [];
  readonly #samples: readonly Sample[];

  constructor(samples: readonly Sample[]) {
    this.#samples = samples;
  }

  values(read: (sample: Sample) => number | undefined): number[] {
    return this.#samples.map(read).filter((value) => value !== undefined);
  }

  /** Without a bound it may do what it likes. */
  trend(what: string, read: (sample: Sample) => number | undefined, bound?: Bound): Trend {
    const points = this.#samples.flatMap((sample) => {
      const value = read(sample);
      return value === undefined ? [] : [{ atMs: sample.atMs, value }];
    });
    const growth = bound && growthOf(points, bound);
    const { first, last, most, slopePerHour } = trendOf(points);
    const trend = {
      first: rounded(first),
      last: rounded(last),
      most: rounded(most),
      slopePerHour: rounded(slopePerHour),
    };
    if (growth !== undefined) {
      const { first: from, last: to, slopePerHour: slope } = trend;
      this.grew.push(`${what}: from ${from} to ${to}, ${slope} an hour`);
    }
    return trend;
  }
}

function processReport(judged: Judged, name: string): ProcessReport {
  const isJudged = !bookkeepers.includes(name);
  const trend = (what: 'rssMb' | 'handles' | 'threads', bound: Bound) =>
    judged.trend(
      `${what} of ${name}`,
      ({ processes }) => processes[name]?.[what],
      isJudged ? bound : undefined,
    );
  const report = {
    rssMb: trend('rssMb', name === 'nats' ? bounds.natsMb : bounds.rssMb),
    handles: trend('handles', bounds.handles),
    threads: trend('threads', bounds.threads),
  };
  const readSeries = ({ series }: Sample) => series[name];
  if (judged.values(readSeries).length === 0) return report;
  return { ...report, series: judged.trend(`series of ${name}`, readSeries, bounds.series) };
}

function lagReport(judged: Judged, name: string): { p99: number; most: number } {
  const read = ({ lag }: Sample) => lag[name];
  judged.trend(`lag of ${name}`, read, bounds.lag);
  const values = judged.values(read);
  return { p99: percentile(values, 0.99), most: percentile(values, 1) };
}

function streamReport(judged: Judged, part: 'streams' | 'buckets', name: string): StreamReport {
  const trend = (what: 'messages' | 'mb') =>
    judged.trend(
      `${what} in ${name}`,
      (sample) => sample[part][name]?.[what],
      name === log ? undefined : bounds[what],
    );
  const [messages, mb] = [trend('messages'), trend('mb')];
  const limitMb = limitsMb.get(name);
  if (limitMb === undefined) return { messages, mb };
  if (mb.most > limitMb)
    judged.grew.push(`${name} holds ${mb.most} MB, its limit is ${rounded(limitMb)}`);
  return { messages, mb, limitMb: rounded(limitMb) };
}

/** What is on disk of facts becomes more, as they do. */
function storeReport(judged: Judged): SteadyReport['storeMb'] {
  const all = judged.trend('files of NATS', ({ storeMb }) => storeMb);
  const besidesFacts = judged.trend(
    `MB of files besides those of ${log}`,
    ({ storeMb, streams: { [log]: facts } }) => storeMb - (facts?.mb ?? 0),
    bounds.storeMb,
  );
  const limitMb = rounded([...limitsMb.values()].reduce((sum, mb) => sum + mb, 0));
  if (all.most > limitMb) judged.grew.push(`${all.most} MB of files, the limits allow ${limitMb}`);
  return { ...all, limitMb, besidesFacts };
}
