import type { JobRecord, JournalEntry } from '@baton/github-sim';

interface Created {
  scaleSet: string;
  /** When the provider's create was called, wall clock in ms. */
  at: number;
}

/**
 * From the simulator answering the poll that carried a job to the provider's create being called, in ms.
 * No runner belongs to a job, so the n-th job of a set is taken together with the n-th create: whatever
 * the order, no pairing has a smaller sum. Jobs that were given no runner are left out.
 */
export function createLatencies(
  jobs: readonly Pick<JobRecord, 'scaleSet' | 'assignedAt'>[],
  journal: readonly JournalEntry[],
  created: readonly Created[],
): number[] {
  const answered = bySet(journal.filter(({ event }) => event === 'delivered'));
  const asked = bySet(
    jobs.flatMap(({ scaleSet, assignedAt }) => {
      if (scaleSet === null || assignedAt === null) return [];
      // An answer carries all jobs that were assigned before it.
      const at = answered.get(scaleSet)?.find((answer) => answer >= assignedAt);
      return at === undefined ? [] : [{ scaleSet, at }];
    }),
  );
  return [...bySet(created)].flatMap(([scaleSet, times]) => {
    const from = asked.get(scaleSet) ?? [];
    return times.flatMap((at, index) => {
      const answer = from[index];
      return answer === undefined ? [] : [at - answer];
    });
  });
}

function bySet(entries: readonly Created[]): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (const { scaleSet, at } of entries) {
    times.set(scaleSet, [...(times.get(scaleSet) ?? []), at]);
  }
  for (const list of times.values()) list.sort((a, b) => a - b);
  return times;
}
