import type { Random } from '@baton/shared/retry';
import { type Clock, isAborted } from '@baton/shared/time';
import { pick } from '@baton/stack';
import { type OtlpReceiver, startOtlpReceiver } from '@baton/testkit';
import { between } from './between.ts';

/** A collector mostly does not answer as it should; what hangs and what drips is the worst of it. */
const behaviours = [
  'take',
  'take',
  'hang',
  'hang',
  'drip',
  'slow',
  'reset',
  'garbage',
  503,
] as const;
/** How long it behaves in one way, in ms. */
const lastsMs = { least: 1_000, most: 12_000 };

interface Collector extends AsyncDisposable {
  /** For the services. */
  env: Record<string, string>;
  /** How many spans it took so far. */
  taken: () => number;
}

/** Takes traces and metrics of services, and changes its behaviour all the time, by the dice. */
export async function startUnreliableCollector(random: Random, clock: Clock): Promise<Collector> {
  const receiver = await startOtlpReceiver();
  const over = new AbortController();
  const changing = misbehave(receiver, { random, clock, signal: over.signal });
  return {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    taken: () => receiver.spans.length,
    async [Symbol.asyncDispose]() {
      over.abort();
      await changing;
      await receiver[Symbol.asyncDispose]();
    },
  };
}

interface Mood {
  random: Random;
  clock: Clock;
  signal: AbortSignal;
}

async function misbehave(receiver: OtlpReceiver, { random, clock, signal }: Mood): Promise<void> {
  while (!isAborted(signal)) {
    receiver.behave(pick(behaviours, random) ?? 'hang');
    await clock.sleep(between(random, lastsMs.least, lastsMs.most), signal).catch(() => undefined);
  }
}
