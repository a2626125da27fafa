import type { Plan, Runner } from '@baton/shared/contracts';
import { type Observation, transition } from '@baton/shared/runners';
import { aDemand, aRunner, aSpec } from '@baton/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { after, aPlanInput, countingIds, startMs } from '../testing/plan-input.ts';
import type { RunnerView } from './plan-input.ts';
import { planScaleSet } from './plan-scale-set.ts';

const maxRunners = 6;
const free = 5;
const creator = { v: 1, identity: 'p', incarnation: 'i' } as const;

/** The buckets, the command stream and the provider: what survives every process. */
class Durable {
  plan: Plan | undefined;
  revision = 0;
  readonly records = new Map<string, Runner>();
  readonly deleted = new Set<string>();
  commands: string[] = [];
  /** How often an instance was started for a runner. */
  readonly instances = new Map<string, number>();
  readonly newId = countingIds('r');
  assigned = 0;
  seq = 1;
  nowMs = 0;

  observe(runnerId: string, observation: Observation): Runner | undefined {
    const runner = this.records.get(runnerId);
    const result = runner && transition(runner, observation, after(this.nowMs));
    if (!result || result.kind === 'refused') return undefined;
    this.records.set(runnerId, result.runner);
    return result.kind === 'moved' ? result.runner : undefined;
  }

  view(runnerId: string): RunnerView {
    return this.records.get(runnerId) ?? (this.deleted.has(runnerId) ? 'deleted' : 'never');
  }
}

/** One pass of a planner; between any two steps others may act, or it may die. */
function* plan(world: Durable): Generator<undefined, void> {
  const before = world.plan;
  const { revision } = world;
  const demand = aDemand({
    assigned: world.assigned,
    seq: world.seq,
    observedAt: after(world.nowMs),
  });
  yield;
  const runners = new Map<string, RunnerView>(world.records);
  for (const { runnerId } of before?.runners ?? []) runners.set(runnerId, world.view(runnerId));
  const spec = aSpec({ declaration: { maxRunners } });
  const pending = [...runners].filter(
    ([id, view]) =>
      view === 'never' || (typeof view === 'object' && !world.instances.has(id) && isPending(view)),
  );
  const capacity = { free: Math.max(0, free - world.instances.size - pending.length) };
  const result = planScaleSet({
    ...aPlanInput({ spec, demand, plan: before, capacity, nowMs: startMs + world.nowMs }),
    runners,
    newId: world.newId,
  });
  yield;
  if (world.revision !== revision) return;
  world.revision += 1;
  world.plan = result.plan;
  for (const runnerId of result.request) {
    yield;
    if (world.view(runnerId) !== 'never') continue;
    const at = after(world.nowMs);
    world.records.set(runnerId, aRunner({ runnerId, createdAt: at, stateAt: at }));
    yield;
    world.commands.push(runnerId);
  }
  for (const { runnerId } of [...result.ended, ...result.retire.map(({ runner }) => runner)]) {
    yield;
    const gone = world.observe(runnerId, {
      kind: 'marked',
      mark: { reason: 'surplus', gate: 'github', by: 'p', at: after(world.nowMs) },
    });
    if (gone) world.instances.delete(runnerId);
  }
}

function isPending({ state }: Runner): boolean {
  return state === 'requested' || state === 'creating';
}

/** One command; when it is interrupted between claim and record the instance may exist. */
function* create(world: Durable): Generator<undefined, void> {
  const runnerId = world.commands.shift();
  if (runnerId === undefined) return;
  if (!world.observe(runnerId, { kind: 'creating', creator })) return;
  yield;
  world.instances.set(runnerId, (world.instances.get(runnerId) ?? 0) + 1);
  yield;
  world.observe(runnerId, { kind: 'created', instanceId: runnerId, githubRunnerId: 1 });
}

/** What the periodic pass and the redelivery of commands do for what a dead process left. */
function recover(world: Durable): void {
  for (const { runnerId, state } of [...world.records.values()]) {
    if (state === 'requested') world.commands.push(runnerId);
    if (state !== 'creating') continue;
    if (world.instances.has(runnerId)) {
      world.observe(runnerId, { kind: 'created', instanceId: runnerId, githubRunnerId: 1 });
    } else {
      world.observe(runnerId, { kind: 'failed', failure: { class: 'interrupted', text: '' } });
    }
  }
}

type Actor = Generator<undefined, void>;

const moves = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant({ kind: 'plan' as const }) },
    { weight: 4, arbitrary: fc.constant({ kind: 'create' as const }) },
    { weight: 20, arbitrary: fc.nat(9).map((who) => ({ kind: 'step' as const, who })) },
    { weight: 2, arbitrary: fc.nat(9).map((who) => ({ kind: 'crash' as const, who })) },
    { weight: 1, arbitrary: fc.nat(9).map((assigned) => ({ kind: 'demand' as const, assigned })) },
    { weight: 2, arbitrary: fc.nat(9).map((who) => ({ kind: 'online' as const, who })) },
    { weight: 2, arbitrary: fc.nat(9).map((who) => ({ kind: 'busy' as const, who })) },
    { weight: 1, arbitrary: fc.constant({ kind: 'wait' as const }) },
  ),
  { maxLength: 150 },
);
type Move = typeof moves extends fc.Arbitrary<(infer M)[]> ? M : never;

const inState = (world: Durable, ...states: Runner['state'][]) =>
  [...world.records.values()].filter(({ state }) => states.includes(state));

function move(world: Durable, actors: Actor[], step: Move): void {
  const at = (list: readonly Runner[], index: number) => list[index % Math.max(1, list.length)];
  if (step.kind === 'plan') actors.push(plan(world));
  else if (step.kind === 'create') actors.push(create(world));
  else if (step.kind === 'wait') world.nowMs += 20_000;
  else if (step.kind === 'demand') {
    world.assigned = step.assigned;
    world.seq += 1;
  } else if (step.kind === 'online') {
    const runner = at(inState(world, 'starting'), step.who);
    if (runner) world.observe(runner.runnerId, { kind: 'online', githubRunnerId: 1 });
  } else if (step.kind === 'busy') {
    const runner = at(inState(world, 'idle'), step.who);
    const startedAt = after(world.nowMs);
    if (runner) {
      world.observe(runner.runnerId, { kind: 'job-started', jobId: 'j', at: startedAt });
    }
  } else {
    const index = step.who % Math.max(1, actors.length);
    if (step.kind === 'crash' || actors[index]?.next().done) actors.splice(index, 1);
  }
}

function expectSound(world: Durable): void {
  const named = world.plan?.runners.map(({ runnerId }) => runnerId) ?? [];
  expect(new Set(named).size).toBe(named.length);
  expect(named.length).toBeLessThanOrEqual(maxRunners);
  expect(world.instances.size).toBeLessThanOrEqual(free);
  for (const count of world.instances.values()) expect(count).toBe(1);
  for (const runner of inState(world, 'marked')) expect(runner.job).toBeUndefined();
}

/** All processes are up again and work, one after the other. */
function settle(world: Durable): void {
  for (let round = 0; round < 12; round += 1) {
    world.nowMs += 20_000;
    recover(world);
    for (const runner of inState(world, 'starting')) {
      world.observe(runner.runnerId, { kind: 'online', githubRunnerId: 1 });
    }
    for (const actor of [plan(world), ...world.commands.map(() => create(world))]) {
      while (!actor.next().done) expectSound(world);
    }
  }
}

describe('planners and creators that overlap, and die between any two steps', () => {
  test('never run more than may, make each runner once, and end with what is wanted', () => {
    fc.assert(
      fc.property(moves, (steps) => {
        const world = new Durable();
        const actors: Actor[] = [];
        for (const step of steps) {
          move(world, actors, step);
          expectSound(world);
        }
        const busy = inState(world, 'busy').length;

        settle(world);

        const alive = inState(world, 'starting', 'idle', 'busy').length;
        expect(alive).toBe(Math.max(busy, Math.min(free, maxRunners, world.assigned)));
      }),
      { numRuns: 300 },
    );
  }, 30_000);
});
