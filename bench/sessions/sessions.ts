import type { ServiceProcess } from '@baton/stack';
import type { BenchContext } from '../context.ts';
import { IdleStack } from '../idle-stack.ts';
import { percentile, rounded } from '../measure/percentiles.ts';
import { type IdleCosts, observeIdle } from './observe-idle.ts';
import { sendBatch } from './send-batch.ts';

export interface SessionsOptions {
  /** How many idle scale sets, one measurement each. */
  sets: readonly number[];
  /** How long each is observed. */
  seconds: number;
  /** Where the listener's CPU profiles go. Profiling costs time: such figures are none. */
  profileDir?: string | undefined;
}

interface SessionsPoint extends IdleCosts {
  sets: number;
  /** From the start of the process until all sets were polled, which GitHub did not know before. */
  startMs: number;
  /** The same after a SIGKILL: every session is resumed. */
  restartMs: number;
  /** From the delivery of a message to its deletion, in a burst of 200; after one that warms up. */
  batch200P99Ms: number;
  /** Of that first one. */
  coldBatch200P99Ms: number;
}

export interface SessionsReport {
  points: SessionsPoint[];
  /** Of the smallest number of sets. */
  batch200P99Ms: number;
  /** Memory of a further set, between one point and the next, in KB. */
  kbPerFurtherSet: number[];
}

const batches = 5;
/** A start compiles, allocates and registers: what it leaves behind is no cost of being idle. */
const calmMs = 20_000;
const startTimeoutMs = 180_000;
/** As GitHub holds polls. */
const simulatorArgs = ['--poll-hold-ms', '50000'];

/** What one listener costs that holds so many idle sessions. */
export async function benchSessions(
  context: BenchContext,
  options: SessionsOptions,
): Promise<SessionsReport> {
  const points: SessionsPoint[] = [];
  for (const sets of [...options.sets].sort((a, b) => a - b)) {
    context.say(`${sets} scale sets`);
    points.push(await measurePoint(context, sets, options));
  }
  return {
    points,
    batch200P99Ms: points[0]?.batch200P99Ms ?? Number.NaN,
    kbPerFurtherSet: memoryPerSet(points),
  };
}

/** Memory of a further set from one point to the next, in KB. */
function memoryPerSet(points: readonly Pick<SessionsPoint, 'sets' | 'rssMb'>[]): number[] {
  return points.slice(1).map((point, index) => {
    const before = points[index] ?? point;
    return rounded(((point.rssMb - before.rssMb) * 1_000) / (point.sets - before.sets));
  });
}

async function measurePoint(
  context: BenchContext,
  sets: number,
  { seconds, profileDir }: SessionsOptions,
): Promise<SessionsPoint> {
  const { clock, signal, say } = context;
  await using idle = await IdleStack.start(context, { sets, simulatorArgs });
  const listener = idle.startListener('listener-0', profiling(profileDir));
  const startMs = await untilAllPolled(idle, listener);
  say(`all polled ${startMs} ms after the start of the process`);
  await clock.sleep(calmMs, signal);
  const costs = await observeIdle(context, { idle, pid: listener.pid, seconds });
  say(`${costs.rssMb} MB, ${costs.rssMaxMb} MB at most, ${costs.cpuPercent} % of a core`);
  const cold = await sendBatch(context, idle);
  const times: number[] = [];
  for (let batch = 0; batch < batches; batch += 1) times.push(...(await sendBatch(context, idle)));
  // A profile is written by a process that ends in an orderly way.
  if (profileDir === undefined) await listener.kill();
  else await listener.stop();
  listener.restart();
  const restartMs = await untilAllPolled(idle, listener);
  say(`all polled again ${restartMs} ms after a restart`);
  const batch200P99Ms = percentile(times, 0.99);
  const coldBatch200P99Ms = percentile(cold, 0.99);
  return { sets, ...costs, startMs, restartMs, batch200P99Ms, coldBatch200P99Ms };
}

function profiling(profileDir: string | undefined): Record<string, string> {
  if (profileDir === undefined) return {};
  return { NODE_OPTIONS: `--cpu-prof --cpu-prof-interval 1000 --cpu-prof-dir=${profileDir}` };
}

/** From the start of the listener's process until it has polled every set, in ms. */
async function untilAllPolled(idle: IdleStack, { startedAt }: ServiceProcess): Promise<number> {
  const polls = await idle.untilPolled(idle.names, startedAt, startTimeoutMs);
  return Math.max(...polls.values()) - startedAt;
}
