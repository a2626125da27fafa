import { join } from 'node:path';
import type { Nats } from '@baton/shared/messaging';
import type { LocalStack } from '@baton/stack';
import type { BenchContext } from '../context.ts';
import { byName } from './by-name.ts';
import { type JetStreamSample, sampleJetStream } from './jetstream-sample.ts';
import { type ProcessSample, sampleProcess } from './process-sample.ts';
import { sizeOf } from './store-size.ts';

/** One look at everything. */
export interface Sample extends JetStreamSample {
  /** From the start, in ms. */
  atMs: number;
  processes: Record<string, ProcessSample>;
  /** Of each service, the lines of `/metrics` that have a number: one more for each series. */
  series: Record<string, number>;
  /** All files of nats-server. */
  storeMb: number;
}

interface Place {
  stack: LocalStack;
  nats: Nats;
}

/** However long a run is: this program must not grow either. */
const mostSamples = 1_800;
const leastEveryMs = 1_000;

/** Looks at everything for so long, and rejects when one of the processes is not there; or with the signal. */
export async function watch(
  { clock, signal }: Pick<BenchContext, 'clock' | 'signal'>,
  place: Place,
  { lengthMs, onSample }: { lengthMs: number; onSample: (sample: Sample) => void },
): Promise<void> {
  const startedAt = clock.monotonic();
  const everyMs = Math.max(leastEveryMs, lengthMs / mostSamples);
  for (;;) {
    const atMs = clock.monotonic() - startedAt;
    if (atMs >= lengthMs) return;
    onSample({ atMs: Math.round(atMs), ...(await look(place, signal)) });
    // A look that took longer than a period makes the next one later, not more frequent.
    await clock.sleep(everyMs - ((clock.monotonic() - startedAt) % everyMs), signal);
  }
}

async function look({ stack, nats }: Place, signal: AbortSignal): Promise<Omit<Sample, 'atMs'>> {
  const services = stack.services.map((service) => [service.instance, service] as const);
  const pids: (readonly [string, number])[] = [
    ...services.map(([name, { pid }]) => [name, pid] as const),
    ['nats', stack.natsPid],
    ['simulator', stack.simulatorPid],
    ['soak', process.pid],
  ];
  const [processes, series, jetStream, storeBytes] = await Promise.all([
    byName(pids, sampleProcess),
    byName(services, async ({ healthPort }) => await countSeries(await healthPort, signal)),
    sampleJetStream(nats),
    sizeOf(join(stack.dir, 'nats')),
  ]);
  return { processes, series, ...jetStream, storeMb: storeBytes / 1e6 };
}

async function countSeries(port: number, signal: AbortSignal): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal });
  return (await answer.text()).split('\n').filter((line) => /^[^#]/.test(line)).length;
}
