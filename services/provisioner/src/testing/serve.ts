import { onTestFinished } from 'vitest';
import { consumeCreates, serveCreates } from '../serve-creates.ts';
import type { Provisioner } from './bench.ts';

const limits = { createConcurrency: 20, createConcurrencyPerScaleSet: 15 };

/** Has a provisioner take create commands until the test is over, or `stop` is called. */
export function serve(provisioner: Provisioner) {
  const [stop, hurry] = [new AbortController(), new AbortController()];
  const queue = serveCreates(provisioner, limits, hurry.signal);
  const signals = { signal: stop.signal, abort: hurry.signal };
  const ended = consumeCreates(provisioner.nats, queue, provisioner, signals);
  onTestFinished(async () => {
    stop.abort();
    hurry.abort();
    await ended;
  });
  return {
    queue,
    stop: async () => {
      stop.abort();
      await ended;
    },
  };
}
