import { type Runner, runnerStates } from '@baton/shared/contracts';
import { at, eventually } from '@baton/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Janitor } from '../testing/bench.ts';
import { allSweeps } from './all-sweeps.ts';
import { finished } from './core/finished.ts';
import { lost } from './core/lost.ts';
import { offline } from './core/offline.ts';
import { partsOf } from './parts.ts';
import type { Led } from './run-sweep.ts';
import { SweepBench, type Sweeper } from './testing/sweep-bench.ts';

const minute = 60_000;

let world: SweepBench;
let janitor: Janitor;

beforeAll(async () => {
  world = await SweepBench.start();
  janitor = await world.bench.janitor();
});
afterEach(async () => {
  await world.bench.sim.control.clearFaults();
  await world.clear();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** A runner that runs and is connected, and whose record nobody has marked. */
async function living(name: string, part: Partial<Runner> = {}) {
  const set = await world.bench.register(name);
  const { mark: _mark, ...runner } = await world.bench.running(set, 'github');
  const { hostId } = world.bench.provider;
  const host = hostId === undefined ? {} : { hostId };
  const known = await world.bench.rewrite({ ...runner, ...host, state: 'idle', ...part });
  await eventually(async () => expect(await statusOf(known)).toBe('idle'));
  return { set, runner: known };
}

async function statusOf({ name }: Runner): Promise<string | undefined> {
  const { runners } = await world.bench.sim.control.state();
  return runners.find((runner) => runner.name === name)?.status;
}

/** One run after another, so far apart; what the last one did. */
async function runs(sweeper: Sweeper, led: Led, afterMs: readonly number[]) {
  let last = await world.run(sweeper, led);
  for (const ms of afterMs) {
    await world.bench.clock.advance(ms);
    last = await world.run(sweeper, led);
  }
  return last;
}

/** All sweeps, every five minutes for so long; how many things they did. */
async function sweepAll(minutes: number): Promise<number> {
  const sweeper = await world.sweeper();
  const all = partsOf(allSweeps({ orphanRegistrationMs: 600_000 }), sweeper.providers).map(
    (part): Led => ({ part, memory: part.sweep.begin(), seen: new Map() }),
  );
  let acted = 0;
  for (let passed = 0; passed <= minutes; passed += 5) {
    for (const led of all) {
      const result = await world.run(sweeper, led);
      acted += Object.values(result.acted).reduce((sum, count) => sum + count, 0);
    }
    await world.bench.clock.advance(5 * minute);
  }
  return acted;
}

describe('the sweep of runners that GitHub has lost', () => {
  test('has one replaced that lost its registration, and its instance goes', async () => {
    const { runner } = await living('dropped');
    const sweeper = await world.sweeper();
    const led = world.led(sweeper, offline);
    await world.bench.sim.control.dropRegistrations({ scaleSet: 'dropped', told: false });

    const result = await runs(sweeper, led, [5 * minute]);
    const marked = await world.bench.read(runner);
    await world.bench.delete(janitor, runner);

    expect(result).toMatchObject({ acted: { mark: 1 } });
    expect(marked).toMatchObject({ mark: { reason: 'unregistered', gate: 'github' } });
    expect(marked?.mark?.evidence).toMatchObject({ looks: 2 });
    expect(await world.bench.hasInstance(runner)).toBe(false);
    expect(await world.bench.read(runner)).toBeUndefined();
  });

  test('does nothing while GitHub is away, and nothing at once when it is back', async () => {
    const { runner } = await living('outage');
    const sweeper = await world.sweeper();
    const led = world.led(sweeper, offline);
    await runs(sweeper, led, []);
    await world.bench.sim.control.dropRegistrations({ scaleSet: 'outage', told: false });
    await world.bench.sim.control.outage(600_000);
    const during = await runs(sweeper, led, [10 * minute, 10 * minute]);
    await world.bench.sim.control.clearFaults();
    const after = await runs(sweeper, led, []);

    expect(during.problem).toContain('503');
    expect([during.acted.mark, after.acted.mark]).toEqual([0, 0]);
    expect(await world.bench.read(runner)).toEqual(runner);
  });
});

describe('the sweep of lost runners', () => {
  test('finds one whose instance was taken away, and leaves who is listed', async () => {
    const { runner: gone } = await living('taken');
    const { runner: there } = await living('there');
    const sweeper = await world.sweeper();
    const led = world.led(sweeper, lost);
    await world.bench.provider.delete(gone.instanceId ?? '', new AbortController().signal);

    const result = await runs(sweeper, led, [2 * minute]);

    expect(result).toMatchObject({ acted: { mark: 1 }, lookedAt: 2 });
    expect(await world.bench.read(gone)).toMatchObject({ mark: { reason: 'lost' } });
    expect(await world.bench.read(there)).toEqual(there);
  });
});

describe('runners that failed', () => {
  test('leave, with what was made of them, although nobody plans their scale set', async () => {
    const failure = { class: 'timeout', text: 'create instance took longer than 60000 ms' };
    const { runner } = await living('failed', { state: 'failed', failure });
    const sweeper = await world.sweeper();

    await runs(sweeper, world.led(sweeper, finished), [10 * minute]);
    const marked = await world.bench.read(runner);
    await world.bench.delete(janitor, runner);

    expect(marked).toMatchObject({ mark: { reason: 'create-failed', gate: 'github' } });
    expect(await world.bench.hasInstance(runner)).toBe(false);
    expect(await world.bench.isRegistered(runner)).toBe(false);
    expect(await world.bench.read(runner)).toBeUndefined();
  });
});

describe('no sweep', () => {
  test('reaps a runner whose create takes longer than the first scans', async () => {
    const creator = { v: 1, identity: 'provisioner-0', incarnation: 'alive' } as const;
    const { runner } = await living('slowcreate');
    const { instanceId: _instanceId, githubRunnerId: _githubRunnerId, ...unwritten } = runner;
    const creating = await world.bench.rewrite({ ...unwritten, state: 'creating', creator });

    const acted = await sweepAll(50);

    expect(acted).toBe(0);
    expect(await world.bench.read(runner)).toEqual(creating);
    expect(await world.bench.hasInstance(runner)).toBe(true);
    expect(await world.bench.isRegistered(runner)).toBe(true);
  });

  test('takes a runner whose job was cancelled while it booted from the next job', async () => {
    const { set, runner } = await living('cancelled', { state: 'starting' });
    const booting = await sweepAll(15);
    await world.bench.rewrite({ ...runner, state: 'idle', stateAt: at.replace('00:00', '15:00') });
    const idle = await sweepAll(40);
    await world.bench.giveJob(set);
    await world.bench.rewrite({ ...runner, state: 'busy', stateAt: at.replace('00:00', '55:00') });
    const busy = await sweepAll(40);

    expect([booting, idle, busy]).toEqual([0, 0, 0]);
    expect(await statusOf(runner)).toBe('busy');
    expect(await world.bench.hasInstance(runner)).toBe(true);
  });

  test.each(runnerStates.filter((state) => ['starting', 'idle', 'busy'].includes(state)))(
    'touches one that is %s by its record and runs a job',
    async (state) => {
      const { set, runner } = await living(`job-${state}`, { state });
      await world.bench.giveJob(set);

      expect(await sweepAll(70)).toBe(0);
      expect(await world.bench.read(runner)).toEqual(runner);
    },
  );
});
