import type { Demand, Plan, Runner } from '@baton/shared/contracts';
import { type Observation, transition } from '@baton/shared/runners';
import { aDemand, aRunner, aSpec } from '@baton/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { after, aPlanInput, countingIds, startMs } from '../testing/plan-input.ts';
import { planScaleSet } from './plan-scale-set.ts';

/** A small world: records, a plan, a demand, a clock. Every step is followed by a plan. */
class World {
  readonly runners = new Map<string, Runner>();
  readonly #newId = countingIds('runner');
  readonly #spec;
  plan: Plan | undefined;
  demand: Demand | undefined;
  elapsedMs = 0;
  seq = 0;

  constructor(minRunners = 0) {
    this.#spec = aSpec({ declaration: { minRunners, maxRunners: 10 } });
  }

  replan(): void {
    const { plan } = planScaleSet({
      ...aPlanInput({ spec: this.#spec, demand: this.demand, plan: this.plan }),
      runners: this.runners,
      newId: this.#newId,
      nowMs: startMs + this.elapsedMs,
    });
    this.plan = plan;
    for (const { runnerId } of plan.runners) {
      if (!this.runners.has(runnerId)) this.runners.set(runnerId, aRunner({ runnerId }));
    }
  }

  observe(runnerId: string, observation: Observation): void {
    const runner = this.runners.get(runnerId);
    if (!runner) throw new Error(`nobody made ${runnerId}`);
    const result = transition(runner, observation, after(this.elapsedMs));
    if (result.kind !== 'refused') this.runners.set(runnerId, result.runner);
    this.replan();
  }

  /** What the listener writes when a message came: it was seen at the listener's clock. */
  announce(assigned: number, seq: number, observedAt: string): void {
    if (this.demand && this.demand.seq >= seq) return;
    this.demand = aDemand({ seq, assigned, observedAt });
    this.replan();
  }

  /** The runner that takes the next job: the one that was named last. */
  get newest(): string {
    return [...this.runners.keys()].at(-1) ?? '';
  }

  wait(ms: number): void {
    this.elapsedMs += ms;
    this.replan();
  }
}

type End = 'exit' | 'completed' | 'demand';

interface Job {
  /** In which order the end of the job is learnt. */
  order: readonly End[];
  /** Times between those, in ms. */
  gapsMs: readonly number[];
  /** The message that ends this job brings the next one. */
  joined: boolean;
  idleMs: number;
}

const jobs = fc.array(
  fc.record({
    order: fc.shuffledSubarray<End>(['exit', 'completed', 'demand'], { minLength: 3 }),
    gapsMs: fc.tuple(
      fc.integer({ min: 0, max: 19_000 }),
      fc.integer({ min: 0, max: 19_000 }),
      fc.integer({ min: 0, max: 19_000 }),
    ),
    joined: fc.boolean(),
    idleMs: fc.integer({ min: 0, max: 100_000 }),
  }),
  { minLength: 1, maxLength: 12 },
);

/** Plays one job after the other; returns how many runners were made. */
function play(list: readonly Job[], world = new World()): number {
  world.seq += 1;
  world.announce(1, world.seq, after(world.elapsedMs));
  list.forEach((job, index) => {
    const isLast = index === list.length - 1;
    const runnerId = world.newest;
    world.observe(runnerId, { kind: 'creating', creator: aCreator });
    const ids = { instanceId: runnerId, githubRunnerId: index + 1 };
    world.observe(runnerId, { kind: 'created', ...ids });
    world.observe(runnerId, { kind: 'job-started', jobId: `${index}`, at: after(world.elapsedMs) });
    endJob(world, job, { runnerId, next: job.joined && !isLast ? 1 : 0 });
    if (!job.joined && !isLast) {
      world.wait(job.idleMs);
      world.seq += 1;
      world.announce(1, world.seq, after(world.elapsedMs));
    }
  });
  world.wait(120_000);
  return world.runners.size;
}

const aCreator = { v: 1, identity: 'provisioner-0', incarnation: 'a' } as const;

function endJob(
  world: World,
  { order, gapsMs }: Job,
  { runnerId, next }: { runnerId: string; next: number },
): void {
  const seq = ++world.seq;
  const observedAt = after(world.elapsedMs);
  order.forEach((end, index) => {
    world.wait(gapsMs[index] ?? 0);
    const at = after(world.elapsedMs);
    if (end === 'exit') world.observe(runnerId, { kind: 'exited', code: 0, at });
    else if (end === 'demand') world.announce(next, seq, observedAt);
    else world.observe(runnerId, { kind: 'job-completed', position: { epoch: 1, seq } });
  });
}

describe('a stream of short jobs', () => {
  test('gets exactly one runner for each, in whatever order their ends are learnt', () => {
    fc.assert(
      fc.property(jobs, (list) => {
        expect(play(list)).toBe(list.length);
      }),
      { numRuns: 300 },
    );
  }, 30_000);

  test('gets one more, to stay warm, with a minimum of one', () => {
    fc.assert(
      fc.property(jobs, (list) => {
        const world = new World(1);
        world.replan();

        expect(play(list, world)).toBe(list.length + 1);
      }),
      { numRuns: 100 },
    );
  });

  test('is given a new runner when one fails in the middle of its job', () => {
    const world = new World();
    world.announce(1, 1, after(0));
    world.observe('runner1', { kind: 'creating', creator: aCreator });
    world.observe('runner1', { kind: 'job-started', jobId: '1', at: after(0) });

    world.observe('runner1', { kind: 'exited', code: 7, at: after(10) });

    expect(world.plan?.runners).toMatchObject([{ runnerId: 'runner2' }]);
  });

  test('keeps a runner that GitHub refused to let go because it had just taken a job', () => {
    const world = new World();
    world.announce(1, 1, after(0));
    world.observe('runner1', { kind: 'creating', creator: aCreator });
    world.observe('runner1', { kind: 'online', githubRunnerId: 1 });
    const mark = { reason: 'surplus', gate: 'github', by: 'provisioner', at: after(0) } as const;
    world.announce(0, 2, after(100));
    world.observe('runner1', { kind: 'marked', mark });

    world.observe('runner1', { kind: 'unmarked' });
    world.announce(1, 3, after(200));

    expect(world.plan?.runners).toMatchObject([{ runnerId: 'runner1' }]);
    expect(world.runners.size).toBe(1);
  });
});
