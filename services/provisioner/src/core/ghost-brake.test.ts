import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JobWorld } from '../testing/job-world.ts';

const minute = 60_000;
const hour = 60 * minute;

describe('a count that is stuck 15 too high', () => {
  test('has its runners made once, and then no more than two an hour', () => {
    const world = new JobWorld();
    world.ghosts = 15;

    world.run(6 * minute);
    const first = world.created;
    world.run(2 * hour);
    const later = world.created;
    world.run(2 * hour);

    expect(first).toBe(15);
    expect(later).toBeLessThanOrEqual(15 + 8);
    expect(world.created - later).toBeLessThanOrEqual(8);
    expect(world.told).toEqual(['+ghost-demand']);
    expect(world.plan?.waiting).toMatchObject({ reason: 'ghost-demand' });
  });

  test('does so too when runners end as soon as they are online', () => {
    const world = new JobWorld({ idleMs: 1_000, bootMs: 2_000, stepMs: 1_000 });
    world.ghosts = 15;

    world.run(2 * hour);

    expect(world.created).toBeLessThanOrEqual(60);
    expect(world.told).toContain('+ghost-demand');
  });

  test('lets runners that wait idle live', () => {
    const world = new JobWorld({ idleMs: 24 * hour });
    world.ghosts = 15;

    world.run(3 * hour);

    expect(world.idle()).toHaveLength(15);
    expect(world.created).toBe(15);
    expect(world.told).toEqual([]);
  });

  test('keeps no new job waiting for longer than a runner takes to start', () => {
    const world = new JobWorld();
    world.ghosts = 15;
    world.run(20 * minute);
    expect(world.told).toEqual(['+ghost-demand']);
    const created = world.created;

    for (let n = 0; n < 20; n += 1) {
      world.addJob(n % 2 === 0 ? 2_000 : 5 * minute);
      world.run(2 * minute);
    }

    expect(world.longestWaitMs).toBeLessThanOrEqual(30_000);
    expect(world.created - created).toBeLessThanOrEqual(20 + 5);
  });

  test('is not believed again when a demand knows before its runner does that a job is over', () => {
    const world = new JobWorld({ endLateMs: 5_000 });
    world.ghosts = 15;
    world.run(20 * minute);
    const created = world.created;

    for (let n = 0; n < 10; n += 1) {
      world.addJob(minute);
      world.run(2 * minute);
    }

    expect(world.told).toEqual(['+ghost-demand']);
    expect(world.created - created).toBeLessThanOrEqual(10 + 5);
  });

  test('is believed again when it is right again', () => {
    const world = new JobWorld();
    world.ghosts = 15;
    world.run(20 * minute);

    world.ghosts = 0;
    world.run(minute);
    for (let n = 0; n < 10; n += 1) world.addJob();
    world.run(2 * minute);

    expect(world.told).toEqual(['+ghost-demand', '-ghost-demand']);
    expect(world.plan?.ghost).toBeUndefined();
    expect(world.unfinished).toEqual([]);
  });

  test('is believed again when the jobs that it counts are real after all', () => {
    const world = new JobWorld();
    world.ghosts = 15;
    world.run(20 * minute);

    world.ghosts = 0;
    for (let n = 0; n < 15; n += 1) world.addJob(10 * minute);
    world.run(32 * minute);

    expect(world.unfinished).toEqual([]);
    expect(world.told).toEqual(['+ghost-demand', '-ghost-demand']);
  });
});

describe('a warm pool whose runners GitHub removes after five minutes', () => {
  test('is kept full, without a failure or a doubt', () => {
    const world = new JobWorld({ declaration: { minRunners: 3 } });

    world.run(minute);
    const before = world.created;
    world.run(hour);

    expect(world.plan?.runners).toHaveLength(3);
    expect(before).toBe(3);
    expect(world.created).toBeGreaterThan(30);
    expect(world.mostAlive).toBe(3);
    expect(world.told).toEqual([]);
    expect(world.plan).toMatchObject({ backoff: undefined, ghost: undefined });
  });

  test('is held back when they end within seconds', () => {
    const world = new JobWorld({
      declaration: { minRunners: 3 },
      bootMs: 2_000,
      idleMs: 1_000,
      stepMs: 1_000,
    });

    world.run(hour);

    expect(world.created).toBeLessThan(60);
    expect(world.told).toEqual(['+creation-failing']);
  });
});

describe('whatever is counted wrongly, and whenever jobs come', () => {
  const events = fc.array(
    fc.record({
      inMs: fc.integer({ min: 1, max: 900 }).map((seconds) => seconds * 1_000),
      jobs: fc.integer({ min: 0, max: 4 }),
      durationMs: fc.integer({ min: 1, max: 600 }).map((seconds) => seconds * 1_000),
      ghosts: fc.option(fc.integer({ min: 0, max: 15 }), { freq: 4, nil: undefined }),
    }),
    { minLength: 1, maxLength: 12 },
  );
  const idleTimes = fc.integer({ min: 120, max: 360 }).map((seconds) => seconds * 1_000);

  test('every job runs, never more runners live than may, and creations are bounded', () => {
    fc.assert(
      fc.property(events, idleTimes, fc.integer({ min: 0, max: 2 }), (list, idleMs, minRunners) => {
        const world = new JobWorld({ idleMs, declaration: { minRunners }, stepMs: 10_000 });
        let levels = 1;
        for (const { inMs, jobs, durationMs, ghosts } of list) {
          if (ghosts !== undefined) levels += 1;
          world.ghosts = ghosts ?? world.ghosts;
          for (let n = 0; n < jobs; n += 1) world.addJob(durationMs);
          world.run(inMs);
        }
        world.run(hour);

        expect(world.unfinished).toEqual([]);
        expect(world.mostAlive).toBeLessThanOrEqual(20);
        // A warm pool is made anew as often as GitHub empties it.
        const refills = Math.ceil(world.nowMs / idleMs) * minRunners * 2;
        const probes = Math.ceil(world.nowMs / (10 * minute)) + 6;
        const moves = world.jobs.length * 2 + levels;
        expect(world.created).toBeLessThanOrEqual(moves * 20 + refills + probes);
      }),
      { numRuns: 20 },
    );
  }, 30_000);
});
