import { z } from 'zod';
import type { BenchContext } from '../context.ts';
import { IdleStack } from '../idle-stack.ts';
import { BareProcess, smallHeap } from '../measure/bare-process.ts';
import { type Floor, measureFloor } from '../measure/floor.ts';
import { healthUrlOf, simToken } from '../stack.ts';
import { type IdleCosts, observeIdle } from './observe-idle.ts';
import { sendBatches } from './send-batch.ts';

/** What so many idle scale sets cost a bare program, `bare-poller.ts`. */
export interface BareCosts extends Pick<IdleCosts, 'rssMb' | 'cpuPercent' | 'pollLagP99Ms'> {
  startMs: number;
  batch200P99Ms: number;
}

interface BareOptions {
  seconds: number;
  simulatorArgs: readonly string[];
}

interface Poller {
  names: readonly string[];
  pid: number;
  startMs: number;
}

const program = new URL('./bare-poller.ts', import.meta.url);
const calmMs = 5_000;
const openedSchema = z.object({ opened: z.int() });
const startTimeoutMs = 180_000;

/** In the order of the counts. The processes start one after another, and are observed side by side. */
export async function measureBareSessions(
  context: BenchContext,
  counts: readonly number[],
  { seconds, simulatorArgs }: BareOptions,
): Promise<{ floor: Floor; bare: BareCosts[] }> {
  const { clock, signal } = context;
  await using cleanup = new AsyncDisposableStack();
  const idle = cleanup.use(await IdleStack.start(context, { sets: 0, simulatorArgs }));
  const floor = await measureFloor(context, healthUrlOf(idle.stack));
  await BareProcess.compile(program, signal);
  const pollers: Poller[] = [];
  for (const count of counts) {
    const poller = cleanup.use(
      await BareProcess.start(program, signal, { nodeOptions: smallHeap }),
    );
    pollers.push(await startPolling(idle, poller, count));
  }
  await clock.sleep(calmMs, signal);
  const observed = await Promise.all(
    pollers.map((poller) => observeIdle(context, { idle, ...poller, seconds })),
  );
  const bare: BareCosts[] = [];
  for (const [index, { rssMb, cpuPercent, pollLagP99Ms }] of observed.entries()) {
    const { names = [], startMs = Number.NaN } = pollers[index] ?? {};
    const { sim, journal } = idle;
    const { p99Ms } = await sendBatches(context, { sim, journal, names });
    bare.push({ rssMb, cpuPercent, pollLagP99Ms, startMs, batch200P99Ms: p99Ms });
  }
  return { floor, bare };
}

async function startPolling(idle: IdleStack, poller: BareProcess, count: number): Promise<Poller> {
  const names = Array.from({ length: count }, (_, index) => `bare-${count}-${index}`);
  const { origin } = new URL(idle.stack.configUrl);
  await poller.ask({ origin, token: simToken, names }, openedSchema);
  const polls = await idle.untilPolled(names, poller.startedAt, startTimeoutMs);
  const startMs = Math.max(...polls.values()) - poller.startedAt;
  return { names, pid: poller.pid, startMs };
}
