import { randomBytes } from 'node:crypto';
import {
  commandSubject,
  type Demand,
  eventSubject,
  type Plan,
  packPlan,
  type Runner,
  runnerIdAlphabet,
  runnerIdLength,
  runnerKey,
  runnerName,
  runnerNamePrefix,
  type Spec,
} from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import { SharedRounds } from '@baton/shared/lifecycle';
import type { Entry, Hints, Publisher } from '@baton/shared/messaging';
import type { Random } from '@baton/shared/retry';
import { endMark, type ObservationCounter } from '@baton/shared/runners';
import type {
  PlanStore,
  RunnerCopy,
  RunnerStore,
  SessionStore,
  SpecStore,
} from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isoNow } from '@baton/shared/time';
import type { CapacityShare } from './capacity-share.ts';
import type { ConditionEvents } from './condition-events.ts';
import { mayHaveStarted } from './core/create-failure.ts';
import type { PlanResult, RunnerView } from './core/plan-input.ts';
import { planScaleSet } from './core/plan-scale-set.ts';
import type { LivingInstances } from './living-instances.ts';
import { markRunner } from './mark-runner.ts';

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
  clock: Clock;
  random: Random;
  log: Logger;
  installationId: string;
  instance: string;
  /** Aborted when the drain budget is nearly used up. */
  signal: AbortSignal;
  observations?: ObservationCounter;
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

  constructor(deps: PlannerDeps) {
    this.#deps = { ...deps, log: deps.log.child({ component: 'plan' }) };
  }

  /**
   * Resolves when a pass over the scale set that began after this call has ended. Calls that come
   * while one is under way share the next.
   */
  async reconcile(scaleSetId: string): Promise<void> {
    const rounds = this.#rounds.get(scaleSetId) ?? new SharedRounds(() => this.#pass(scaleSetId));
    this.#rounds.set(scaleSetId, rounds);
    await rounds.run();
  }

  async #pass(scaleSetId: string): Promise<void> {
    const { specs, plans, sessions, conditions } = this.#deps;
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const [declared, before, session] = await Promise.all([
        specs.get(scaleSetId),
        plans.get(scaleSetId),
        sessions.get(scaleSetId),
      ]);
      if (!declared) {
        this.#rounds.delete(scaleSetId);
        return conditions.forget(scaleSetId);
      }
      const spec = declared.value;
      const result = await this.#plan(spec, before, session?.value.demand);
      if (!result) continue;
      await this.#carryOut(spec, result);
      return;
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
    if (before && !differs(before.value, result.plan, clock.now())) return result;
    const revision = before
      ? await plans.update(scaleSetId, packPlan(result.plan), before.revision)
      : await plans.create(scaleSetId, packPlan(result.plan));
    if (revision === undefined) return undefined;
    if (capacityDiffers(before?.value, result.plan)) hints.send('plan', scaleSetId);
    conditions.changed(result.plan, result.changes);
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
    await inBatches(request, (runnerId) => this.#request(spec, runnerId, plan));
    await inBatches(ended, (runner) =>
      markRunner(this.#deps, runner, endMark(runner, mayHaveStarted)),
    );
    await inBatches(retire, ({ runner, reason }) =>
      markRunner(this.#deps, runner, { reason, gate: 'github' }),
    );
  }

  /**
   * Writes the record of a named runner and asks for its creation. The record is written only if
   * there never was one: a runner that came and went is not made again.
   */
  async #request(spec: Spec, runnerId: string, plan: Plan): Promise<void> {
    const { runners, publisher, clock, log, installationId, instance, signal } = this.#deps;
    const { scaleSetId, declaration, generation } = spec;
    const at = isoNow(clock);
    const name = runnerName(runnerNamePrefix(declaration), installationId, runnerId);
    const record: Runner = {
      v: 1,
      installationId,
      scaleSetId,
      runnerId,
      name,
      provider: declaration.provider,
      generation,
      state: 'requested',
      createdAt: at,
      stateAt: at,
    };
    const revision = await runners.createFirst(runnerKey(scaleSetId, runnerId), record);
    if (revision === undefined) return;
    log.info(
      { scaleSetId, runnerId, runnerName: name, assigned: plan.demand?.assigned },
      'runner requested',
    );
    await Promise.all([
      this.askForCreation(record),
      publisher.publish(
        eventSubject('provisioner', scaleSetId, 'runner', 'requested'),
        {
          v: 1,
          type: 'runner.requested',
          scaleSetId,
          runnerId,
          runnerName: name,
          at,
          by: `provisioner ${instance}`,
        },
        { messageId: `requested-${runnerId}`, signal },
      ),
    ]);
  }

  /**
   * Publishes the create command; within five seconds only one is stored however many ask, unless the
   * runner's record has come further.
   */
  async askForCreation(runner: Runner): Promise<void> {
    const { publisher, clock, signal } = this.#deps;
    const { scaleSetId, runnerId, provider, traceparent, state, stateAt, retryAt } = runner;
    const occasion = `${state}-${Date.parse(retryAt ?? stateAt)}-${Math.floor(clock.now() / 5_000)}`;
    await publisher.publish(
      commandSubject('create', scaleSetId),
      { v: 1, scaleSetId, runnerId, provider, traceparent },
      { messageId: `create-${runnerId}-${occasion}`, traceparent, signal },
    );
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
