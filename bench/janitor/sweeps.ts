import { type Runner, type SweepName, sweepNames } from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import { askSweep } from '@baton/shared/messaging';
import { openSweeps, type SweepStore } from '@baton/shared/stores';
import type { BenchContext } from '../context.ts';
import { hostNow } from '../measure/host-now.ts';
import { type Range, rangeOf, rounded, type Spread, spread } from '../measure/percentiles.ts';
import { readUsage } from '../measure/process-usage.ts';
import { JanitorStack } from './janitor-stack.ts';

export interface SweepFigures {
  /** All sweeps, asked for at once: until the last was written down. */
  sweep10kMs: Range;
  /** CPU of the janitor for one round, ms. */
  cpuMs: number;
  /** The most that the janitor had while it swept. */
  rssMb: number;
  /** From the mark to the end of the record: while nothing else is done, and while sweeps run. */
  alone: Spread | undefined;
  besides: Spread | undefined;
  /** The slowest besides a sweep, less the median alone. */
  sweepDelayMs: number;
}

interface SweepsOptions {
  profileDir?: string | undefined;
}

const many = 10_000;
const rounds = 5;
const samples = 200;
const markEveryMs = 50;
const rssEveryMs = 100;
const goneTimeoutMs = 60_000;
const sweepTimeoutMs = 60_000;
const readyTimeoutMs = 60_000;
/** Nothing runs but what is asked for. */
const byHand = { BATON_SWEEP_EVERY_MS: '3600000', BATON_GITHUB_SWEEP_EVERY_MS: '3600000' };

/** What a look at everything costs where there is nothing to find, and how it holds deletions up. */
export async function measureSweeps(
  context: BenchContext,
  { profileDir }: SweepsOptions,
): Promise<SweepFigures> {
  await using stack = await JanitorStack.start(context, { deleteMs: 0, env: byHand, profileDir });
  const states = await openSweeps(stack.nats);
  await untilLed(context, stack);
  await stack.fleet.make(many);
  const [alone, besides] = [await stack.fleet.make(samples), await stack.fleet.make(samples)];
  const each: number[] = [];
  let rssMb = 0;
  let cpuMs = 0;
  const sweeping = async (work: () => Promise<unknown>) => {
    const stop = new AbortController();
    const watching = watchRss(context, stack.janitor.pid, stop.signal);
    await work().finally(() => stop.abort());
    rssMb = Math.max(rssMb, await watching);
  };
  await sweeping(async () => {
    // The first reads all records anew and compiles: a janitor does that once in its life.
    await sweepAll(stack, states);
    const before = await stack.cpu();
    for (let round = 0; round < rounds; round += 1) each.push(await sweepAll(stack, states));
    cpuMs = ((await stack.cpu()).janitor - before.janitor) / rounds;
  });
  const aloneMs = await deletionTimes(context, stack, alone);
  const besidesMs: number[] = [];
  await sweeping(async () => {
    const stop = new AbortController();
    const marking = deletionTimes(context, stack, besides).finally(() => stop.abort());
    const sweepOn = async () => {
      while (!stop.signal.aborted) await sweepAll(stack, states);
    };
    const [times] = await Promise.all([marking, sweepOn()]);
    besidesMs.push(...times);
  });
  const figures = {
    sweep10kMs: rangeOf(each),
    cpuMs: Math.round(cpuMs),
    rssMb: rounded(rssMb),
    alone: spread(aloneMs),
    besides: spread(besidesMs),
    sweepDelayMs: rounded(Math.max(...besidesMs) - (spread(aloneMs)?.p50 ?? Number.NaN)),
  };
  context.say(`${each.join(', ')} ms for a look of all sweeps at ${many} runners`);
  return figures;
}

/** Asks for all sweeps at once; how long it took until the last of them was written down. */
async function sweepAll(stack: JanitorStack, states: SweepStore): Promise<number> {
  const from = hostNow();
  await Promise.all(sweepNames.map((sweep) => sweepOnce(stack, sweep)));
  const written = (await states.list('state')).map(({ writtenAt }) => writtenAt.getTime());
  return Math.round(Math.max(...written) - from);
}

/** @throws AppError when it did not look at everything, or found something. */
async function sweepOnce({ nats }: JanitorStack, sweep: SweepName): Promise<void> {
  const { parts } = await askSweep(nats, { sweep, dryRun: false, timeoutMs: sweepTimeoutMs });
  const [part] = parts;
  const { end } = part ?? {};
  const isWhole =
    parts.length === 1 && end?.kind === 'done' && end.problem === undefined && end.count === 0;
  if (isWhole) return;
  throw new AppError('unexpected', `sweep ${sweep} was not done: ${JSON.stringify(parts)}`);
}

/** Marks runners one after another; how long each took until its record was gone, ms. */
async function deletionTimes(
  { clock, signal }: BenchContext,
  stack: JanitorStack,
  runners: readonly Runner[],
): Promise<number[]> {
  const started: number[] = [];
  const marking: Promise<void>[] = [];
  for (const runner of runners) {
    await clock.sleep(markEveryMs, signal);
    started.push(hostNow());
    marking.push(stack.fleet.mark([runner], 'none'));
  }
  await Promise.all(marking);
  const gone = await stack.untilGone(runners, goneTimeoutMs);
  return gone.map((ms, index) => ms - (started[index] ?? Number.NaN));
}

/** Resolves when the janitor leads all sweeps. */
async function untilLed({ clock, signal }: BenchContext, { nats }: JanitorStack): Promise<void> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(readyTimeoutMs)]);
  for (;;) {
    const asked = { dryRun: true, timeoutMs: sweepTimeoutMs };
    const reports = await Promise.all(
      sweepNames.map((sweep) => askSweep(nats, { sweep, ...asked })),
    );
    if (reports.every(({ parts }) => parts.length > 0)) return;
    await clock.sleep(rssEveryMs, patience);
  }
}

/** The most that it had, in MB. */
async function watchRss({ clock }: BenchContext, pid: number, stop: AbortSignal): Promise<number> {
  let most = 0;
  while (!stop.aborted) {
    most = Math.max(most, (await readUsage(pid)).rssBytes / 1e6);
    await clock.sleep(rssEveryMs, stop).catch(() => undefined);
  }
  return most;
}
