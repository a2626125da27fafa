import type { BenchContext } from '../context.ts';
import { hostNow } from '../measure/host-now.ts';
import { type Range, rangeOf, rounded, significant } from '../measure/percentiles.ts';
import { type JanitorCpu, JanitorStack } from './janitor-stack.ts';

interface DeletionsOptions {
  marked: readonly number[];
  profileDir?: string | undefined;
}

/** So many at once, with an instant provider; medians of some runs. */
export interface Deletions {
  marked: number;
  perS: number;
  /** For one deletion, ms. */
  cpuMs: JanitorCpu;
  ranges: { perS: Range; janitorCpuMs: Range };
}

interface Run {
  perS: number;
  cpuMs: JanitorCpu;
}

const warmUp = 500;
const runs = 3;
const goneTimeoutMs = 180_000;

/** How many deletions a second, and what each costs, by how many are marked at once. */
export async function measureDeletions(
  context: BenchContext,
  { marked, profileDir }: DeletionsOptions,
): Promise<Deletions[]> {
  await using stack = await JanitorStack.start(context, { deleteMs: 0, profileDir });
  await measure(stack, warmUp);
  const counts = [...marked].sort((a, b) => a - b);
  const measured = new Map(counts.map((count): [number, Run[]] => [count, []]));
  for (let run = 0; run < runs; run += 1) {
    // There and back: what the machine does is about the same for all.
    for (const count of run % 2 === 0 ? counts : counts.toReversed()) {
      const { perS, cpuMs } = await measure(stack, count);
      measured.get(count)?.push({ perS, cpuMs });
      const cpu = significant(cpuMs.janitor);
      context.say(`${count} marked: ${rounded(perS)} deletions/s, ${cpu} ms of CPU each`);
    }
  }
  return [...measured].map(([count, of]) => deletionsOf(count, of));
}

/** The medians of these runs. */
export function deletionsOf(marked: number, of: readonly Run[]): Deletions {
  const cpu = (name: keyof JanitorCpu) => rangeOf(of.map(({ cpuMs }) => cpuMs[name]));
  const perS = rangeOf(of.map((run) => run.perS));
  const janitorCpuMs = cpu('janitor');
  return {
    marked,
    perS: perS.median,
    cpuMs: {
      janitor: janitorCpuMs.median,
      nats: cpu('nats').median,
      simulator: cpu('simulator').median,
    },
    ranges: { perS, janitorCpuMs },
  };
}

/** The janitor is frozen while the marks are written, so that nothing but deletion is measured. */
async function measure(stack: JanitorStack, count: number): Promise<Run> {
  const runners = await stack.fleet.make(count);
  stack.janitor.signal('SIGSTOP');
  await stack.fleet.mark(runners, 'either');
  const before = await stack.cpu();
  const from = hostNow();
  stack.janitor.signal('SIGCONT');
  const ms = Math.max(...(await stack.untilGone(runners, goneTimeoutMs))) - from;
  const after = await stack.cpu();
  const each = (name: keyof JanitorCpu) => (after[name] - before[name]) / count;
  return {
    perS: (count * 1_000) / ms,
    cpuMs: { janitor: each('janitor'), nats: each('nats'), simulator: each('simulator') },
  };
}
