import { randomBytes } from 'node:crypto';
import {
  type Demand,
  type Plan,
  packPlan,
  type Runner,
  runnerIdAlphabet,
  runnerIdLength,
  runnerKey,
  type Spec,
} from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import { SharedRounds } from '@baton/shared/lifecycle';
import type { Entry, Hints, Publisher } from '@baton/shared/messaging';
import type { Random } from '@baton/shared/retry';
import { endMark, type ObservationCounter, type RunnerChange } from '@baton/shared/runners';
import type {
  PlanStore,
  RunnerCopy,
  RunnerStore,
  SessionStore,
  SpecStore,
} from '@baton/shared/stores';
import { activeTraceparent, type Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { CapacityShare } from './capacity-share.ts';
import type { ConditionEvents } from './condition-events.ts';
import { mayHaveStarted } from './core/create-failure.ts';
import { causes } from './core/demand-cause.ts';
import type { PlanResult, RunnerView } from './core/plan-input.ts';
import { planScaleSet } from './core/plan-scale-set.ts';
import type { LivingInstances } from './living-instances.ts';
import { markRunner } from './mark-runner.ts';
import type { PlanMetrics } from './plan-metrics.ts';
import { tellPlan } from './plan-trace.ts';
import { askForCreation, requestRunner } from './request-runner.ts';
import type { RunnerMetrics } from './runner-metrics.ts';

export interface PlannerDeps {
  specs: SpecStore;
  sessions: SessionStore;
  plans: PlanStore;
  runners: RunnerStore;
  copy: RunnerCopy;
  publisher: Publisher;
  hints: Hints;
  capacity: CapacityShare;
  living?: LivingInstances;
  conditions: ConditionEvents;
  planMetrics: PlanMetrics;
  runnerMetrics: RunnerMetrics;
  clock: Clock;
  random: Random;
  log: Logger;
  installationId: string;
  instance: string;
  /** Aborted when the drain budget is nearly used up. */
  signal: AbortSignal;
  observations?: ObservationCounter;
  onChange?: (change: RunnerChange) => void;
}

/** What free capacity says is written again at least this often, in ms. */
const freeEveryMs = 15_000;
const maxAttempts = 20;
/** Records that are written, and commands that are sent, at a time. */
const parallel = 100;

/**
 * Makes the plan of a scale set true. Any number of planners may work on one scale set: the plan
 * is written by compare-and-set and names new ids before anything is created, so one demand is
 * served once, and whoever plans next finishes what a dead one began.
 */
export class Planner {
  readonly #deps: PlannerDeps;
  /** By scale set. */
  readonly #rounds = new Map<string, SharedRounds>();
  /** Of the latest that is traced and asked for the next pass, by scale set. */
  readonly #askedBy = new Map<string, string>();

  constructor(deps: PlannerDeps) {
    this.#deps = { ...deps, log: deps.log.child({ component: 'plan' }) };
  }

  /**
   * Resolves when a pass over the scale set that began after this call has ended. Calls that come
   * while one is under way share the next.
   */
  async reconcile(scaleSetId: string): Promise<void> {
    const askedBy = activeTraceparent();
    if (askedBy !== undefined) this.#askedBy.set(scaleSetId, askedBy);
    const rounds = this.#rounds.get(scaleSetId) ?? new SharedRounds(() => this.#pass(scaleSetId));
    this.#rounds.set(scaleSetId, rounds);
    await rounds.run();
  }

  /** Tells nothing more of any scale set but these. */
  forgetAllBut(scaleSetIds: readonly string[]): void {
    const declared = new Set(scaleSetIds);
    for (const id of this.#rounds.keys()) if (!declared.has(id)) this.#forget(id);
  }

  #forget(scaleSetId: string): void {
    const { conditions, planMetrics, runnerMetrics } = this.#deps;
    this.#rounds.delete(scaleSetId);
    for (const one of [conditions, planMetrics, runnerMetrics]) one.forget(scaleSetId);
  }

  async #pass(scaleSetId: string): Promise<void> {
    const { clock } = this.#deps;
    const told = { scaleSetId, askedBy: this.#askedBy.get(scaleSetId), startedAt: clock.now() };
    this.#askedBy.delete(scaleSetId);
    try {
      const result = await this.#makeTrue(scaleSetId);
      if (result) tellPlan({ ...told, endedAt: clock.now(), result });
    } catch (error) {
      tellPlan({ ...told, endedAt: clock.now(), error });
      throw error;
    }
  }

  /** Undefined when there is no such scale set any more. */
  async #makeTrue(scaleSetId: string): Promise<PlanResult | undefined> {
    const { specs, plans, sessions } = this.#deps;
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const [declared, before, session] = await Promise.all([
        specs.get(scaleSetId),
        plans.get(scaleSetId),
        sessions.get(scaleSetId),
      ]);
      if (!declared) {
        this.#forget(scaleSetId);
        return undefined;
      }
      const spec = declared.value;
      const result = await this.#plan(spec, before, session?.value.demand);
      if (!result) continue;
      await this.#carryOut(spec, result);
      return result;
    }
    throw new AppError('conflict', `the plan of ${scaleSetId} is written by others all the time`, {
      retryable: true,
    });
  }

  /** Plans and writes the plan; undefined when another planner wrote first. */
  async #plan(
    spec: Spec,
    before: Entry<Plan> | undefined,
    demand: Demand | undefined,
  ): Promise<PlanResult | undefined> {
    const { plans, capacity, clock, random, hints, conditions, signal } = this.#deps;
    const { planMetrics, runnerMetrics } = this.#deps;
    const { scaleSetId, declaration } = spec;
    const place = { scaleSetId, provider: declaration.provider };
    const living = (await this.#deps.living?.of(place, signal)) ?? [];
    const runners = await this.#views(scaleSetId, before?.value);
    const pending = [...runners.values()].filter(
      (view) => view === 'never' || (typeof view === 'object' && isPending(view)),
    );
    const known = { spec, demand, plan: before?.value };
    const result = planScaleSet({
      ...known,
      runners,
      capacity: await capacity.of({ ...known, pending: pending.length }),
      orphans: living === 'unknown' ? living : this.#countOrphans(scaleSetId, living, runners),
      nowMs: clock.now(),
      random,
      newId: newRunnerId,
    });
    conditions.known(result.plan);
    planMetrics.planned(spec, result.wanted);
    if (before && !differs(before.value, result.plan, clock.now())) return result;
    const revision = before
      ? await plans.update(scaleSetId, packPlan(result.plan), before.revision)
      : await plans.create(scaleSetId, packPlan(result.plan));
    if (revision === undefined) return undefined;
    if (capacityDiffers(before?.value, result.plan)) hints.send('plan', scaleSetId);
    conditions.changed(result.plan, result.changes);
    runnerMetrics.endsCounted(place, result.ends);
    return result;
  }

  /**
   * Whoever lives and is not among the records of this very pass: one that has been adopted since has no place
   * in the plan yet, so it still counts.
   */
  #countOrphans(
    scaleSetId: string,
    living: readonly string[],
    views: ReadonlyMap<string, RunnerView>,
  ): number {
    const isDeleted = (id: string) =>
      this.#deps.copy.lookup(runnerKey(scaleSetId, id)).kind === 'deleted';
    const unrecorded = living.filter((id) => typeof views.get(id) !== 'object' && !isDeleted(id));
    return this.#deps.living?.countOrphans(scaleSetId, unrecorded) ?? 0;
  }

  /**
   * The records of the scale set, and what became of named ids that have none. To be read after the plan:
   * a record that the plan knows to exist must be among them. One that the copy does not have was
   * written while the copy was read, or cannot be understood: it is read by itself, because a place is
   * given up for what is found.
   */
  async #views(scaleSetId: string, plan: Plan | undefined): Promise<Map<string, RunnerView>> {
    const { copy, runners } = this.#deps;
    await copy.sync();
    const views = new Map<string, RunnerView>();
    for (const { value } of copy.under(scaleSetId)) views.set(value.runnerId, value);
    const unknown = (plan?.runners ?? []).filter(({ runnerId }) => !views.has(runnerId));
    await inBatches(unknown, async ({ runnerId, recorded }) => {
      const key = runnerKey(scaleSetId, runnerId);
      const copied = copy.lookup(key);
      const found = recorded && copied.kind === 'never' ? await runners.lookup(key) : copied;
      views.set(runnerId, found.kind === 'found' ? found.value : found.kind);
    });
    return views;
  }

  /** What jobs wait for comes first. */
  async #carryOut(spec: Spec, { request, ended, retire, plan }: PlanResult): Promise<void> {
    const because = causes(plan);
    await inBatches(request, (runnerId) =>
      requestRunner(this.#deps, spec, { runnerId, cause: because.get(runnerId), plan }),
    );
    await inBatches(ended, (runner) =>
      markRunner(this.#deps, runner, endMark(runner, mayHaveStarted)),
    );
    await inBatches(retire, ({ runner, reason }) =>
      markRunner(this.#deps, runner, { reason, gate: 'github' }),
    );
  }

  /** Publishes the create command; see `askForCreation`. */
  async askForCreation(runner: Runner): Promise<void> {
    await askForCreation(this.#deps, runner);
  }
}

async function inBatches<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += parallel) {
    await Promise.all(items.slice(start, start + parallel).map(act));
  }
}

function isPending({ state }: Runner): boolean {
  return state === 'requested' || state === 'creating';
}

/** Whether a plan says anything new; one that does not is written again before it counts as old. */
function differs(before: Plan, after: Plan, nowMs: number): boolean {
  const ageMs = nowMs - Date.parse(before.freeAt);
  return (
    ageMs > freeEveryMs ||
    JSON.stringify({ ...before, freeAt: '' }) !== JSON.stringify({ ...after, freeAt: '' })
  );
}

/** Whether a listener would do anything else: it advertises the sum, and withdraws where nothing lives. */
function capacityDiffers(before: Plan | undefined, after: Plan): boolean {
  if (!before) return true;
  const all = ({ runners, free }: Plan) => runners.length + free;
  const lives = ({ runners }: Plan) => runners.length > 0;
  return all(before) !== all(after) || lives(before) !== lives(after);
}

function newRunnerId(): string {
  return [...randomBytes(runnerIdLength)].map((byte) => runnerIdAlphabet[byte % 32]).join('');
}
