import type { BenchContext } from '../context.ts';
import { hostNow } from '../measure/host-now.ts';
import { percentile, type Range, rangeOf, rounded } from '../measure/percentiles.ts';
import { type JanitorFloor, measureJanitorFloor } from './bare-deletions.ts';
import { type Deletions, measureDeletions } from './deletions.ts';
import { JanitorStack } from './janitor-stack.ts';
import { janitorReport } from './report.ts';
import { measureSweeps, type SweepFigures } from './sweeps.ts';

export const janitorParts = ['marked', 'outage', 'deletions', 'sweeps'] as const;
export type JanitorPart = (typeof janitorParts)[number];

export interface JanitorOptions {
  parts: readonly JanitorPart[];
  /** How many are marked at once, one measurement each. */
  marked: readonly number[];
  profileDir?: string | undefined;
}

/** What was measured; a part that was not asked for is not there. */
export interface JanitorFigures {
  marked200Ms?: Range;
  outage100Ms?: Range;
  deletions?: Deletions[];
  sweeps?: SweepFigures;
  floor: JanitorFloor;
}

/** With 50 hands, 200 deletions are four rounds of it. */
const slow = { deleteMs: 200 };
const few = 200;
const runs = 3;
const inOutage = 100;
/** Longer than anything that is measured in it. */
const outageMs = 60_000;
const goneTimeoutMs = 60_000;

/** How fast what is marked is gone, and what a look at everything costs. */
export async function benchJanitor(context: BenchContext, options: JanitorOptions) {
  const { parts } = options;
  context.say('the floor: a bare program that deletes as much');
  const figures: JanitorFigures = { floor: await measureJanitorFloor(context) };
  if (parts.includes('marked')) figures.marked200Ms = await measureMarked(context);
  if (parts.includes('outage')) figures.outage100Ms = await measureOutage(context);
  if (parts.includes('deletions')) figures.deletions = await measureDeletions(context, options);
  if (parts.includes('sweeps')) figures.sweeps = await measureSweeps(context, options);
  return janitorReport(figures);
}

/** After one run that nobody counts. */
async function measureMarked(context: BenchContext): Promise<Range> {
  await using stack = await JanitorStack.start(context, slow);
  const each: number[] = [];
  for (let run = 0; run <= runs; run += 1) {
    const runners = await stack.fleet.make(few);
    const from = hostNow();
    await stack.fleet.mark(runners, 'either');
    const times = await stack.untilGone(runners, goneTimeoutMs);
    each.push(Math.max(...times) - from);
    context.say(`${few} marked: gone after ${rounded(each.at(-1) ?? Number.NaN)} ms`);
  }
  return rangeOf(each.slice(1));
}

/** Until the last instance is gone, while GitHub refuses every call; what it is owed is paid later. */
async function measureOutage(context: BenchContext): Promise<Range> {
  await using stack = await JanitorStack.start(context, slow);
  const each: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const runners = await stack.fleet.make(inOutage);
    await stack.sim.outage(outageMs);
    const from = hostNow();
    await stack.fleet.mark(runners, 'none');
    await stack.untilNoInstance(runners, goneTimeoutMs);
    const ends = runners.map(({ runnerId }) => stack.deleted.lines.get(runnerId)?.at ?? Number.NaN);
    each.push(percentile(ends, 1) - from);
    const ms = rounded(each.at(-1) ?? Number.NaN);
    context.say(`${inOutage} marked while GitHub is down: no instance after ${ms} ms`);
    await stack.sim.clearFaults();
    await stack.untilGone(runners, goneTimeoutMs);
  }
  return rangeOf(each);
}
