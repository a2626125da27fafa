import type { BenchContext } from '../context.ts';
import { rounded } from '../measure/percentiles.ts';
import { hostNow } from '../pipeline/instance-book.ts';
import { type JanitorCpu, JanitorStack } from './janitor-stack.ts';

interface DeletionsOptions {
  marked: readonly number[];
  profileDir?: string | undefined;
}

/** So many at once, with an instant provider. */
export interface Deletions {
  marked: number;
  perS: number;
  /** For one deletion, ms with two decimals. */
  cpuMs: JanitorCpu;
}

const warmUp = 500;
const goneTimeoutMs = 180_000;

/** How many deletions a second, and what each costs, by how many are marked at once. */
export async function measureDeletions(
  context: BenchContext,
  { marked, profileDir }: DeletionsOptions,
) {
  await using stack = await JanitorStack.start(context, { deleteMs: 0, profileDir });
  await measure(stack, warmUp);
  const deletions: Deletions[] = [];
  for (const count of [...marked].sort((a, b) => a - b)) {
    const measured = await measure(stack, count);
    deletions.push(measured);
    const { perS, cpuMs } = measured;
    const cpu = Object.entries(cpuMs).map(([name, ms]) => `${name} ${ms}`);
    context.say(`${count} marked: ${perS} deletions/s; CPU ms each: ${cpu.join(', ')}`);
  }
  const costs = deletions.map(({ cpuMs }) => cpuMs.janitor + cpuMs.nats);
  const most = deletions.at(-1);
  return {
    deletions,
    deletionsPerS: most?.perS ?? Number.NaN,
    cpuMsPerDeletion: most?.cpuMs.janitor ?? Number.NaN,
    costRatio: twoDecimals((costs.at(-1) ?? Number.NaN) / (costs[0] ?? Number.NaN)),
  };
}

/** The janitor is frozen while the marks are written, so that nothing but deletion is measured. */
async function measure(stack: JanitorStack, count: number): Promise<Deletions> {
  const runners = await stack.fleet.make(count);
  stack.janitor.signal('SIGSTOP');
  await stack.fleet.mark(runners, 'either');
  const before = await stack.cpu();
  const from = hostNow();
  stack.janitor.signal('SIGCONT');
  const ms = Math.max(...(await stack.untilGone(runners, goneTimeoutMs))) - from;
  const after = await stack.cpu();
  const each = (name: keyof JanitorCpu) => twoDecimals((after[name] - before[name]) / count);
  return {
    marked: count,
    perS: rounded((count * 1_000) / ms),
    cpuMs: { janitor: each('janitor'), nats: each('nats'), simulator: each('simulator') },
  };
}

function twoDecimals(value: number): number {
  return Math.round(value * 100) / 100;
}
