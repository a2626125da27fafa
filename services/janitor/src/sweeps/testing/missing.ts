import type { Runner } from '@baton/shared/contracts';
import type { Finding, Sweep } from '../sweep.ts';

type Seen = ReadonlyMap<string, number>;

/**
 * A sweep of tests: marks idle runners of listed providers that two lists do not have, at whatever
 * distance.
 */
export const missing: Sweep<Seen> = {
  name: 'lost',
  needs: ['instances'],
  guarded: true,
  start: new Map(),
  decide: ({ before, instances }, memory) => {
    const runners = before.items.filter(
      ({ state, provider }) => state === 'idle' && instances.has(provider),
    );
    const listed = new Set(
      [...instances.values()].flatMap(({ items }) => items.map(({ runnerId }) => runnerId)),
    );
    const gone = runners.filter(({ runnerId }) => !listed.has(runnerId));
    const again = gone.filter(({ runnerId }) => memory.has(runnerId));
    return {
      findings: again.map((runner) => markOf(runner, { reason: 'lost', gate: 'github' })),
      lookedAt: runners.length,
      left: gone.length > again.length ? { 'seen once': gone.length - again.length } : {},
      memory: new Map(gone.map(({ runnerId }) => [runnerId, 1])),
    };
  },
};

export function markOf(
  runner: Runner,
  mark: Pick<Extract<Finding, { action: 'mark' }>['mark'], 'reason' | 'gate'>,
): Extract<Finding, { action: 'mark' }> {
  return { action: 'mark', runner, mark: { ...mark, text: 'not listed', evidence: { views: [] } } };
}

/** A sweep that finds what it is given. */
export function finding(
  find: () => readonly Finding[],
  part: Partial<Sweep<number>> = {},
): Sweep<number> {
  return {
    ...{ name: 'finished', needs: [], guarded: false, start: 0 },
    decide: ({ before }, looks) => ({
      findings: [...find()],
      lookedAt: before.items.length,
      left: {},
      memory: looks + 1,
    }),
    ...part,
  };
}
