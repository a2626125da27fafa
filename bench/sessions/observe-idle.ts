import type { BenchContext } from '../context.ts';
import type { IdleStack } from '../idle-stack.ts';
import { mean, percentile, rounded, significant } from '../measure/percentiles.ts';
import { type ProcessUsage, readUsage } from '../measure/process-usage.ts';
import { pollGaps } from '../polls.ts';

/** Means over the time of observation, but for `rssMaxMb`; CPU in percent of one core. */
export interface IdleCosts {
  rssMb: number;
  rssMaxMb: number;
  cpuPercent: number;
  /** From the answer to a poll to the next poll of the set, 99th percentile. */
  pollLagP99Ms: number;
  /** How many polls that comes from. */
  polls: number;
  natsCpuPercent: number;
  simulatorCpuPercent: number;
}

interface Observed {
  idle: Pick<IdleStack, 'stack' | 'journal'>;
  /** Of the process that polls. */
  pid: number;
  /** The sets that it polls. */
  names: readonly string[];
  seconds: number;
}

/** Watches a process that polls and has nothing else to do. */
export async function observeIdle(
  { clock, signal }: BenchContext,
  { idle: { stack, journal }, pid, names, seconds }: Observed,
): Promise<IdleCosts> {
  const pids = [pid, stack.natsPid, stack.simulatorPid];
  await journal.read();
  const fromMs = clock.now();
  const startedAt = clock.monotonic();
  const before = await Promise.all(pids.map(readUsage));
  const rss: number[] = [];
  while (clock.monotonic() - startedAt < seconds * 1_000) {
    await clock.sleep(1_000, signal);
    rss.push((await readUsage(pid)).rssBytes);
  }
  const after = await Promise.all(pids.map(readUsage));
  const elapsedMs = clock.monotonic() - startedAt;
  await journal.read();
  const percent = (index: number) => cpuPercent(before[index], after[index], elapsedMs);
  const own = new Set(names);
  const lags = pollGaps(journal.entries)
    .filter(({ scaleSet, fromMs: at }) => at >= fromMs && own.has(scaleSet))
    .flatMap((gap) => (gap.toMs === undefined ? [] : [gap.toMs - gap.fromMs]));
  return {
    rssMb: rounded(mean(rss) / 1e6),
    rssMaxMb: rounded(Math.max(...rss) / 1e6),
    cpuPercent: percent(0),
    pollLagP99Ms: rounded(percentile(lags, 0.99)),
    polls: lags.length,
    natsCpuPercent: percent(1),
    simulatorCpuPercent: percent(2),
  };
}

function cpuPercent(
  before: ProcessUsage | undefined,
  after: ProcessUsage | undefined,
  elapsedMs: number,
): number {
  if (!before || !after) return Number.NaN;
  return significant(((after.cpuMs - before.cpuMs) / elapsedMs) * 100);
}
