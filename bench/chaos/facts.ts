import type { JobRecord, JournalEntry } from '@baton/github-sim';
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
  journal: readonly JournalEntry[];
}

/** How long JetStream remembers a `Nats-Msg-Id`, in ms: topology. */
const duplicateWindowMs = 120_000;
/** Clocks of two processes on this host, and the way to the server, in ms. */
const skewMs = 1_000;
/** From the storing of a fact to the record of its message, in ms. */
const recordedMs = 2_000;

/**
 * Facts that are missing or stored too often: every job that was assigned, started and completed in the
 * simulator's books has exactly one fact of each. Pure.
 *
 * What may be stored twice, by design (docs/delivery-and-recovery.md): a message that GitHub delivers
 * again after the window of NATS, when something kept it from being recorded as handled; and one that was
 * not deleted when GitHub began its ids anew: nobody can tell that from another message.
 */
export function brokenFacts({ jobs, facts, ...books }: FactsEvidence): string[] {
  const stored = Map.groupBy(facts, keyOf);
  const expected = new Map(
    jobs.flatMap((job) => expectedOf(job).map(({ key, count }) => [key, { count, job }] as const)),
  );
  const lost = [...expected].filter(([key, { count }]) => (stored.get(key)?.length ?? 0) < count);
  const doubled = [...expected].filter(([key, { count, job }]) => {
    const found = stored.get(key) ?? [];
    return found.length > count && tooMany(found, booksOf(job.scaleSet, books)) > count;
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

/** What happened to one scale set. */
interface Books {
  journal: readonly JournalEntry[];
  restartsMs: readonly number[];
  strikes: readonly Disturbance[];
}

function booksOf(
  scaleSet: string | null,
  { disturbances, journal }: Pick<FactsEvidence, 'disturbances' | 'journal'>,
): Books {
  return {
    journal: journal.filter((entry) => entry.scaleSet === scaleSet),
    restartsMs: disturbances.flatMap(({ step, fromMs }) => {
      if (step.kind !== 'fault' || step.fault.what !== 'restart ids') return [];
      return step.fault.scaleSet === scaleSet ? [fromMs] : [];
    }),
    strikes: disturbances.filter(({ step }) => step.kind === 'strike'),
  };
}

/** How many of them count: without those that may be stored again. */
function tooMany(facts: readonly StoredFact[], books: Books): number {
  const counted: StoredFact[] = [];
  for (const fact of facts.toSorted((a, b) => a.storedMs - b.storedMs)) {
    const again = counted.some((earlier) => mayComeAgain(earlier, fact, books));
    if (!again) counted.push(fact);
  }
  return counted.length;
}

function mayComeAgain(earlier: StoredFact, later: StoredFact, books: Books): boolean {
  if (earlier.messageId === later.messageId) {
    const isForgotten = later.storedMs - earlier.storedMs >= duplicateWindowMs - skewMs;
    return isForgotten && mayBeUnrecorded(earlier, books);
  }
  const cameMs = deliveredMs(earlier, books);
  return books.restartsMs.some(
    (atMs) =>
      cameMs <= atMs + skewMs &&
      later.storedMs >= atMs - skewMs &&
      !wasDeleted(earlier, atMs, books),
  );
}

/** When the fact's message was delivered, which may be long before: NATS was away. */
function deliveredMs({ messageId, storedMs }: StoredFact, { journal }: Books): number {
  const id = gitHubIdOf(messageId);
  const delivery = journal.findLast(
    ({ event, at, ...entry }) =>
      event === 'delivered' && entry.messageId === id && at <= storedMs + skewMs,
  );
  return delivery?.at ?? storedMs;
}

/** Whether NATS, or the listener that polled, was struck just after the fact was stored. */
function mayBeUnrecorded({ storedMs }: StoredFact, { journal, strikes }: Books): boolean {
  const poller = journal.findLast(({ event, at }) => event === 'held' && at <= storedMs)?.by;
  return strikes.some(
    ({ where, fromMs }) =>
      (where === 'nats' || where === poller) &&
      fromMs >= storedMs - skewMs &&
      fromMs <= storedMs + recordedMs,
  );
}

/** Whether GitHub deleted the fact's message before it began its ids anew at `atMs`. */
function wasDeleted({ messageId, storedMs }: StoredFact, atMs: number, { journal }: Books) {
  const id = gitHubIdOf(messageId);
  return journal.some(
    ({ event, at, ...entry }) =>
      event === 'deleted' && entry.messageId === id && at >= storedMs - skewMs && at <= atMs,
  );
}

/** GitHub's id of the message in that of a fact, before the hash of the body and the place. */
function gitHubIdOf(messageId: string): number {
  return Number(/-(\d+)-[0-9a-f]+-\d+$/.exec(messageId)?.[1]);
}

function keyOf({ scaleSetId, jobId, type }: Omit<StoredFact, 'messageId' | 'storedMs'>): string {
  return `${type} of ${jobId} in ${scaleSetId}`;
}

function told(what: string, found: readonly (readonly [string, unknown])[]): string[] {
  if (found.length === 0) return [];
  const names = found.slice(0, 3).map(([key]) => key);
  return [`${found.length} ${what}: ${names.join(', ')}`];
}
