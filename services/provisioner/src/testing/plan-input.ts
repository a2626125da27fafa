import type { Runner } from '@baton/shared/contracts';
import { aSpec, at } from '@baton/testkit';
import type { PlanInput, RunnerView } from '../core/plan-input.ts';

/** The time at which the builders' records were written, in ms. */
export const startMs = Date.parse(at);

/** ISO 8601 text of a moment so many ms after the start. */
export function after(ms: number): string {
  return new Date(startMs + ms).toISOString();
}

/** Ids that tell in which order they were named. */
export function countingIds(prefix = 'new'): () => string {
  let count = 0;
  return () => `${prefix}${++count}`;
}

type Part = Partial<Omit<PlanInput, 'runners'>> & {
  runners?: readonly Runner[];
  /** Named ids that have no record. */
  without?: Readonly<Record<string, 'never' | 'deleted'>>;
};

/** A scale set that may have ten runners, with plenty of room and nothing to do. */
export function aPlanInput({ runners = [], without = {}, ...part }: Part = {}): PlanInput {
  const views = new Map<string, RunnerView>(Object.entries(without));
  for (const runner of runners) views.set(runner.runnerId, runner);
  return {
    spec: aSpec(),
    demand: undefined,
    plan: undefined,
    capacity: { free: 1_000 },
    nowMs: startMs,
    random: () => 0.5,
    newId: countingIds(),
    ...part,
    runners: views,
  };
}
