import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

/** Rests, asks the simulator whether it is there, and tells from when to when that took longer than usual. */
const { url } = z.object({ url: z.string() }).parse({ url: process.argv[2] });
const restMs = 100;
const usualMs = 25;

while (process.connected) {
  const fromMs = Date.now() + restMs;
  await sleep(restMs);
  await fetch(`${url}/_sim/healthz`)
    .then((answer) => answer.arrayBuffer())
    .catch(() => undefined);
  const toMs = Date.now();
  // Who listened may have gone meanwhile.
  if (toMs - fromMs > usualMs) process.send?.({ fromMs, toMs }, () => undefined);
}
