import type { ServiceProcess } from '@baton/stack';
import type { BenchContext } from '../context.ts';
import { IdleStack } from '../idle-stack.ts';
import { measureBareSessions } from './bare-sessions.ts';
import { observeIdle } from './observe-idle.ts';
import { type PointFigures, type SessionsReport, sessionsReport } from './report.ts';
import { sendBatches } from './send-batch.ts';

export interface SessionsOptions {
  /** How many idle scale sets, one measurement each. */
  sets: readonly number[];
  /** How long each is observed. */
  seconds: number;
  /** Where the listener's CPU profiles go. Profiling costs time: such figures are none. */
  profileDir?: string | undefined;
}

/** A start compiles, allocates and registers: what it leaves behind is no cost of being idle. */
const calmMs = 10_000;
const startTimeoutMs = 180_000;
/** As GitHub holds polls. */
const holdSeconds = 50;
const simulatorArgs = ['--poll-hold-ms', String(holdSeconds * 1_000)];
/** What one listener costs that holds so many idle sessions. */
export async function benchSessions(
  context: BenchContext,
  options: SessionsOptions,
): Promise<SessionsReport> {
  const counts = [...options.sets].sort((a, b) => a - b);
  context.say(`the floor: bare programs that poll ${counts.join(', ')} scale sets`);
  // Each poll is answered once in a hold: that is enough for who does nothing else.
  const seconds = Math.min(options.seconds, holdSeconds);
  const { floor, bare } = await measureBareSessions(context, counts, { seconds, simulatorArgs });
  const points: PointFigures[] = [];
  for (const sets of counts) {
    context.say(`${sets} scale sets`);
    points.push(await measurePoint(context, sets, options));
  }
  return sessionsReport(points, bare, floor);
}

async function measurePoint(
  context: BenchContext,
  sets: number,
  { seconds, profileDir }: SessionsOptions,
): Promise<PointFigures> {
  const { clock, signal, say } = context;
  await using idle = await IdleStack.start(context, { sets, simulatorArgs });
  const listener = idle.startListener('listener-0', profiling(profileDir));
  const startMs = await untilAllPolled(idle, listener);
  say(`all polled ${startMs} ms after the start of the process`);
  await clock.sleep(calmMs, signal);
  const { pid } = listener;
  const costs = await observeIdle(context, { idle, pid, names: idle.names, seconds });
  say(`${costs.rssMb} MB, ${costs.rssMaxMb} MB at most, ${costs.cpuPercent} % of a core`);
  const { p99Ms: batch200P99Ms, coldP99Ms: coldBatch200P99Ms } = await sendBatches(context, idle);
  // A profile is written by a process that ends in an orderly way.
  if (profileDir === undefined) await listener.kill();
  else await listener.stop();
  listener.restart();
  const restartMs = await untilAllPolled(idle, listener);
  say(`all polled again ${restartMs} ms after a restart`);
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
