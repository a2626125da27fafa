import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

/**
 * Rests, asks the simulator whether it is there, and tells how long that took when it was longer than usual;
 * and twice a second, how long a little work of its own took.
 */
const { url } = z.object({ url: z.string() }).parse({ url: process.argv[2] });
const restMs = 100;
const usualMs = 25;
const workEvery = 5;
const workMs = 10;

/** Who listens may have gone meanwhile. */
const tell = (what: object) => void process.send?.(what, () => undefined);

async function ask(): Promise<void> {
  const answer = await fetch(`${url}/_sim/healthz`).catch(() => undefined);
  await answer?.arrayBuffer().catch(() => undefined);
}

function work(): void {
  const { user, system } = process.cpuUsage();
  const untilUs = user + system + workMs * 1_000;
  for (let spentUs = 0; spentUs < untilUs; ) {
    const spent = process.cpuUsage();
    spentUs = spent.user + spent.system;
  }
}

for (let round = 0; process.connected; round += 1) {
  const fromMs = Date.now() + restMs;
  await sleep(restMs);
  await ask();
  const toMs = Date.now();
  if (toMs - fromMs > usualMs) tell({ kind: 'standstill', fromMs, toMs });
  if (round % workEvery !== 0) continue;
  work();
  const doneMs = Date.now();
  tell({ kind: 'work', fromMs: toMs, toMs: doneMs, stretch: (doneMs - toMs) / workMs });
}
