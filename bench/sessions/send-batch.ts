import { randomUUID } from 'node:crypto';
import type { BenchContext } from '../context.ts';
import type { IdleStack } from '../idle-stack.ts';
import { percentile } from '../measure/percentiles.ts';
import { messageTimes } from '../polls.ts';

const batchSets = 50;
const messagesPerSet = 4;
const batches = 5;

/**
 * Gives 200 messages to 50 scale sets at once; returns how long each took from its delivery to its
 * deletion, by the simulator's clock, in ms.
 */
async function sendBatch(
  { signal }: BenchContext,
  { sim, journal, names }: Pick<IdleStack, 'sim' | 'journal' | 'names'>,
): Promise<number[]> {
  await journal.read();
  const position = journal.position;
  const chosen = names.slice(0, batchSets);
  await Promise.all(
    chosen.map((name) => {
      const entries = Array.from({ length: messagesPerSet }, () => assignment(name));
      return sim.play(name, { entries, apart: true });
    }),
  );
  const wanted = chosen.length * messagesPerSet;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(60_000)]);
  const entries = await journal.until(
    position,
    (seen) => seen.filter(({ event }) => event === 'deleted').length >= wanted,
    patience,
  );
  return messageTimes(entries);
}

/** The first burst, and then those of five more, all together. */
export async function sendBatches(
  context: BenchContext,
  polled: Parameters<typeof sendBatch>[1],
): Promise<{ coldP99Ms: number; p99Ms: number }> {
  const cold = await sendBatch(context, polled);
  const times: number[] = [];
  for (let batch = 0; batch < batches; batch += 1) {
    times.push(...(await sendBatch(context, polled)));
  }
  return { coldP99Ms: percentile(cold, 0.99), p99Ms: percentile(times, 0.99) };
}

/** A job as github.com assigns it. It stays open: no runner is meant to come. */
function assignment(scaleSet: string): Record<string, unknown> {
  const at = new Date().toISOString();
  const never = '0001-01-01T00:00:00Z';
  return {
    messageType: 'JobAssigned',
    runnerRequestId: 0,
    repositoryName: 'app',
    ownerName: 'acme',
    jobId: randomUUID(),
    jobWorkflowRef: 'acme/app/.github/workflows/ci.yml@refs/heads/main',
    jobDisplayName: 'build',
    workflowRunId: 0,
    eventName: 'push',
    requestLabels: [scaleSet],
    queueTime: at,
    scaleSetAssignTime: at,
    runnerAssignTime: never,
    finishTime: never,
  };
}
