import type { JobRecord } from '@baton/github-sim';
import { scaleSetIdOf } from '@baton/shared/contracts';
import type { Disturbance } from './driver.ts';

/** A fact about a job as JetStream has it. */
export interface StoredFact {
  /** The scale set's id and the job's, with the kind: `job.started`. */
  scaleSetId: string;
  jobId: string;
  type: string;
  /** `Nats-Msg-Id`. */
  messageId: string;
  /** When the server stored it, wall clock in ms. */
  storedMs: number;
}

interface FactsEvidence {
  jobs: readonly JobRecord[];
  facts: readonly StoredFact[];
  disturbances: readonly Disturbance[];
}

/** How long JetStream remembers a `Nats-Msg-Id`, in ms: topology. */
const duplicateWindowMs = 120_000;
/** Clocks of two processes on this host, and the way to the server, in ms. */
const skewMs = 1_000;

/**
 * Facts that are missing or stored too often: every job that was assigned, started and completed in the
 * simulator's books has exactly one fact of each. Pure.
 *
 * What may be stored twice, by design (docs/delivery-and-recovery.md): a message that GitHub delivers
 * again after the window of NATS; and one that it delivers again under another id, because it began its
 * ids anew: nobody can tell that from another message.
 */
export function brokenFacts({ jobs, facts, disturbances }: FactsEvidence): string[] {
  const stored = Map.groupBy(facts, keyOf);
  const expected = new Map(
    jobs.flatMap((job) => expectedOf(job).map(({ key, count }) => [key, { count, job }] as const)),
  );
  const lost = [...expected].filter(([key, { count }]) => (stored.get(key)?.length ?? 0) < count);
  const doubled = [...expected].filter(([key, { count, job }]) => {
    const found = stored.get(key) ?? [];
    return tooMany(found, restartsOf(job.scaleSet, disturbances)) > count;
  });
  const strange = [...stored].filter(([key]) => !expected.has(key));
  return [
    ...told('facts lost', lost),
    ...told('facts stored twice', doubled),
    ...told('facts that nothing in the books is behind', strange),
  ];
}

function expectedOf(job: JobRecord): { key: string; count: number }[] {
  const { id: jobId, scaleSet, assignments, startedAt, completedAt } = job;
  if (scaleSet === null) return [];
  const scaleSetId = scaleSetIdOf(scaleSet);
  const counts = [
    { type: 'job.assigned', count: assignments },
    { type: 'job.started', count: startedAt === null ? 0 : 1 },
    { type: 'job.completed', count: completedAt === null ? 0 : 1 },
  ];
  return counts
    .filter(({ count }) => count > 0)
    .map(({ type, count }) => ({ key: keyOf({ scaleSetId, jobId, type }), count }));
}

/** How many of them count: without those that may be stored again. */
function tooMany(facts: readonly StoredFact[], restartsMs: readonly number[]): number {
  const counted: StoredFact[] = [];
  for (const fact of facts.toSorted((a, b) => a.storedMs - b.storedMs)) {
    const again = counted.some((earlier) => mayComeAgain(earlier, fact, restartsMs));
    if (!again) counted.push(fact);
  }
  return counted.length;
}

function mayComeAgain(
  earlier: StoredFact,
  later: StoredFact,
  restartsMs: readonly number[],
): boolean {
  if (earlier.messageId === later.messageId) {
    return later.storedMs - earlier.storedMs >= duplicateWindowMs - skewMs;
  }
  return restartsMs.some(
    (atMs) => earlier.storedMs <= atMs + skewMs && later.storedMs >= atMs - skewMs,
  );
}

function restartsOf(scaleSet: string | null, disturbances: readonly Disturbance[]): number[] {
  return disturbances.flatMap(({ step, fromMs }) => {
    if (step.kind !== 'fault' || step.fault.what !== 'restart ids') return [];
    return step.fault.scaleSet === scaleSet ? [fromMs] : [];
  });
}

function keyOf({ scaleSetId, jobId, type }: Omit<StoredFact, 'messageId' | 'storedMs'>): string {
  return `${type} of ${jobId} in ${scaleSetId}`;
}

function told(what: string, found: readonly (readonly [string, unknown])[]): string[] {
  if (found.length === 0) return [];
  const names = found.slice(0, 3).map(([key]) => key);
  return [`${found.length} ${what}: ${names.join(', ')}`];
}
