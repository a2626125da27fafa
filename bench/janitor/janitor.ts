import type { BenchContext } from '../context.ts';
import { httpRoundTrip, measureFloor } from '../measure/floor.ts';
import { percentile, rounded } from '../measure/percentiles.ts';
import { hostNow } from '../pipeline/instance-book.ts';
import { type Deletions, measureDeletions } from './deletions.ts';
import { JanitorStack } from './janitor-stack.ts';
import { measureSweeps, type SweepFigures } from './sweeps.ts';

export const janitorParts = ['marked', 'outage', 'deletions', 'sweeps'] as const;
export type JanitorPart = (typeof janitorParts)[number];

export interface JanitorOptions {
  parts: readonly JanitorPart[];
  /** How many are marked at once, one measurement each. */
  marked: readonly number[];
  profileDir?: string | undefined;
}

/** A part that was not asked for is not there. */
export interface JanitorReport {
  /** The longest of some rounds, and each. */
  marked200Ms?: number;
  marked200Each?: number[];
  outage100Ms?: number;
  /** With the most that were marked at once. */
  deletionsPerS?: number;
  cpuMsPerDeletion?: number;
  /** CPU of a deletion with the most, divided by that with the fewest. */
  costRatio?: number;
  deletions?: Deletions[];
  sweeps?: SweepFigures;
  floor?: { natsP50Ms: number; httpP50Ms: number };
}

/** With 50 hands, 200 deletions are four rounds of it. */
const slow = { deleteMs: 200 };
const few = 200;
const rounds = 3;
const inOutage = 100;
/** Longer than anything that is measured in it. */
const outageMs = 60_000;
const goneTimeoutMs = 60_000;

/** How fast what is marked is gone, and what a look at everything costs. */
export async function benchJanitor(
  context: BenchContext,
  options: JanitorOptions,
): Promise<JanitorReport> {
  const { parts } = options;
  const report: JanitorReport = {};
  if (parts.includes('marked')) Object.assign(report, await measureMarked(context));
  if (parts.includes('outage')) report.outage100Ms = await measureOutage(context);
  if (parts.includes('deletions')) Object.assign(report, await measureDeletions(context, options));
  if (parts.includes('sweeps')) report.sweeps = await measureSweeps(context, options);
  return report;
}

async function measureMarked(
  context: BenchContext,
): Promise<Pick<JanitorReport, 'marked200Ms' | 'marked200Each' | 'floor'>> {
  await using stack = await JanitorStack.start(context, slow);
  const nats = (await measureFloor(stack.nats, context.clock)).natsRoundTrip;
  const http = await httpRoundTrip(stack.healthUrl, context.clock);
  const each: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const runners = await stack.fleet.make(few);
    const from = hostNow();
    await stack.fleet.mark(runners, 'either');
    const times = await stack.untilGone(runners, goneTimeoutMs);
    each.push(Math.round(Math.max(...times) - from));
    context.say(`${few} marked: gone after ${each.at(-1)} ms`);
  }
  return {
    marked200Ms: Math.max(...each),
    marked200Each: each,
    floor: { natsP50Ms: nats?.p50 ?? Number.NaN, httpP50Ms: http?.p50 ?? Number.NaN },
  };
}

/** Until the last instance is gone, while GitHub refuses every call; what it is owed is paid later. */
async function measureOutage(context: BenchContext): Promise<number> {
  await using stack = await JanitorStack.start(context, slow);
  const runners = await stack.fleet.make(inOutage);
  await stack.sim.outage(outageMs);
  const from = hostNow();
  await stack.fleet.mark(runners, 'none');
  await stack.untilNoInstance(runners, goneTimeoutMs);
  const times = runners.map(({ runnerId }) => stack.deleted.lines.get(runnerId)?.at ?? Number.NaN);
  const ms = rounded(percentile(times, 1) - from);
  context.say(`${inOutage} marked while GitHub is down: no instance after ${ms} ms`);
  await stack.sim.clearFaults();
  await stack.untilGone(runners, goneTimeoutMs);
  return ms;
}
