import type { ConditionType, Demand, Plan, Runner, Spec } from '@baton/shared/contracts';
import type { Random } from '@baton/shared/retry';

/** What is known of a runner id that the plan names. `never`: its record was not written yet. */
export type RunnerView = Runner | 'never' | 'deleted';

export type Place = Plan['runners'][number];

/**
 * Instances that the provider has room for, and, where that is less, how many of these GitHub may be
 * told of; or why the provider cannot be asked.
 */
export type Capacity = { free: number; told?: number } | { problem: string; retryAt?: string };

export interface PlanInput {
  spec: Spec;
  demand: Demand | undefined;
  plan: Plan | undefined;
  /** All records of the scale set, and what became of named ids that have none. */
  runners: ReadonlyMap<string, RunnerView>;
  capacity: Capacity;
  /** Instances that run and have no record; `unknown`: they will be counted in a moment. */
  orphans?: number | 'unknown';
  nowMs: number;
  random: Random;
  newId: () => string;
}

export interface PlanResult {
  plan: Plan;
  /** How many runners jobs and `minRunners` ask for, `maxRunners` at the most. */
  wanted: number;
  /** Named ids that need a record and a create command. */
  request: string[];
  /** Ended runners that no place is kept for: they can go. */
  ended: Runner[];
  /** Idle runners that are too many or of an old generation: deregister, then delete. */
  retire: { runner: Runner; reason: 'surplus' | 'rotation' }[];
  /** How those ended that did no work and lose their place by this plan. */
  ends: readonly End[];
  /** Conditions that began, or ended: those have no text. */
  changes: { condition: ConditionType; text?: string }[];
}

/** How a runner ended that did no work, found when its place is given up: so it is counted once. */
export interface End {
  place: Place;
  generation: string | undefined;
  /**
   * - `failed`: it never came online, or ended by itself soon after it did.
   * - `unused`: it was online for some time, and ended without a job.
   * - `outdated`: GitHub does not take a runner program of its age.
   */
  kind: 'failed' | 'unused' | 'outdated';
  class: string;
  text: string;
}

/** What a pass has found out about a scale set; each decision is made from this. */
export interface Situation {
  spec: Spec;
  plan: Plan | undefined;
  /** The latest: of the session's record, or the one that was applied. */
  demand: Plan['demand'];
  records: readonly Runner[];
  runners: PlanInput['runners'];
  /** Places whose runners can still take or run a job, or must be counted as if they could. */
  kept: readonly Place[];
  /** How those ended that did no work and lose their place now. */
  ends: readonly End[];
  nowMs: number;
  random: Random;
}

export function isPast(at: string, nowMs: number): boolean {
  return Date.parse(at) <= nowMs;
}

export function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
