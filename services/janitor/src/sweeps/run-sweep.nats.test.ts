import { type Runner, runnerKey } from '@baton/shared/contracts';
import { aRunner } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestSet } from '../testing/bench.ts';
import type { Finding } from './sweep.ts';
import { GivenProvider, instanceOf } from './testing/given-provider.ts';
import { finding, markOf, missing } from './testing/missing.ts';
import { SweepBench } from './testing/sweep-bench.ts';

let world: SweepBench;
let set: TestSet;
let sets = 0;

beforeAll(async () => {
  world = await SweepBench.start();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  sets += 1;
  set = await world.bench.register(`set-${sets}`);
  await world.clear();
});

/** A runner that is idle, by its record. */
async function idle(runnerId: string): Promise<Runner> {
  return await world.bench.record(set, { runnerId, state: 'idle', mark: undefined });
}

describe('a run', () => {
  test('marks what two lists do not have, asks for its deletion, and says why', async () => {
    const provider = new GivenProvider();
    const sweeper = await world.sweeper({ providers: new Map([['local', provider]]) });
    const led = world.led(sweeper, missing);
    const [gone, there] = [await idle('gone1'), await idle('there1')];
    provider.instances = [instanceOf(there)];

    const first = await world.run(sweeper, led);
    await world.bench.clock.advance(6_000);
    const second = await world.run(sweeper, led);

    expect(first).toMatchObject({ lookedAt: 2, acted: { mark: 0 }, left: { 'seen once': 1 } });
    expect(second).toMatchObject({ lookedAt: 2, acted: { mark: 1 } });
    expect(await world.bench.read(gone)).toMatchObject({
      state: 'marked',
      mark: {
        reason: 'lost',
        gate: 'github',
        by: `janitor ${sweeper.instance}`,
        text: 'not listed',
      },
    });
    expect(await world.bench.read(there)).toEqual(there);
    expect(await world.bench.commands(gone)).toEqual(['gone1']);
    expect(await world.bench.events(gone)).toEqual(['runner.marked']);
    expect(await world.state(led)).toMatchObject({
      by: sweeper.instance,
      lookedAt: 2,
      acted: 1,
      recent: [{ count: 1 }],
    });
  });

  test('leaves a runner that has moved since it was looked at', async () => {
    const sweeper = await world.sweeper();
    const took = await idle('took1');
    const sweep = finding(() => [markOf(took, { reason: 'offline', gate: 'github' })]);
    await world.bench.rewrite({ ...took, state: 'busy', stateAt: '2026-01-01T00:00:05.000Z' });

    const result = await world.run(sweeper, world.led(sweeper, sweep));

    expect(result).toMatchObject({ acted: { mark: 0 }, left: { 'moved on': 1 } });
    expect((await world.bench.read(took))?.state).toBe('busy');
    expect(await world.bench.commands(took)).toEqual([]);
  });

  test('leaves one that was idle, busy and idle again meanwhile', async () => {
    const sweeper = await world.sweeper();
    const before = await idle('again1');
    const sweep = finding(() => [markOf(before, { reason: 'offline', gate: 'github' })]);
    await world.bench.rewrite({ ...before, stateAt: '2026-01-01T00:00:05.000Z' });

    const result = await world.run(sweeper, world.led(sweeper, sweep));

    expect(result.left).toMatchObject({ 'moved on': 1 });
  });

  test('is done once when two who both believe that they lead do it at once', async () => {
    const sweepers = [await world.sweeper(), await world.sweeper()];
    const runner = await idle('both1');
    const sweep = finding(() => [markOf(runner, { reason: 'lost', gate: 'github' })]);

    const results = await Promise.allSettled(
      sweepers.map((sweeper) => world.run(sweeper, world.led(sweeper, sweep))),
    );

    // Whoever finds that the other has written the sweep's state learns that it leads no more.
    const done = results.filter((one) => one.status === 'fulfilled' && one.value.acted.mark === 1);
    expect(done.length).toBeLessThanOrEqual(1);
    expect((await world.bench.read(runner))?.state).toBe('marked');
    expect(await world.bench.events(runner)).toEqual(['runner.marked']);
  });

  test('does the oldest first, and no more than its batch', async () => {
    const sweeper = await world.sweeper({ batch: 2 });
    const runners = [await idle('one1'), await idle('two2'), await idle('three3')];
    const sweep = finding(() =>
      runners.map((one) => markOf(one, { reason: 'lost', gate: 'github' })),
    );
    const led = world.led(sweeper, sweep);

    const first = await world.run(sweeper, led);
    const states = await Promise.all(runners.map((one) => world.bench.read(one)));
    const second = await world.run(sweeper, led);

    expect(first).toMatchObject({ acted: { mark: 2 }, left: { 'more than a run does': 1 } });
    expect(states.map((one) => one?.state)).toEqual(['marked', 'marked', 'idle']);
    expect(second.left).toMatchObject({ 'moved on': 2 });
  });
});

describe('a dry run', () => {
  test('says what would be done and held, and changes nothing: no record, no memory', async () => {
    const provider = new GivenProvider();
    const sweeper = await world.sweeper({ providers: new Map([['local', provider]]), max: 0 });
    const led = world.led(sweeper, missing);
    const gone = await idle('dry1');
    await idle('dry2');
    await idle('dry3');
    await idle('dry4');
    const rest = (await world.bench.runners.list()).map(({ value }) => value);
    provider.instances = rest.filter(({ runnerId }) => runnerId !== 'dry1').map(instanceOf);
    const before = await world.state(led);

    await world.run(sweeper, led, { dryRun: true });
    await world.run(sweeper, led, { dryRun: true });
    const looked = await world.run(sweeper, led);
    await world.bench.clock.advance(6_000);
    const would = await world.run(sweeper, led, { dryRun: true });

    expect(looked.left).toMatchObject({ 'seen once': 1 });
    expect(would).toMatchObject({
      acted: { mark: 0 },
      found: [{ action: 'mark', runnerId: 'dry1', text: 'not listed' }],
      hold: undefined,
    });
    expect(await world.bench.read(gone)).toEqual(gone);
    expect(before?.startedAt).not.toBe((await world.state(led))?.startedAt);
  });
});

describe('adopting', () => {
  const adopt = (runner: Runner): Finding => ({
    action: 'adopt',
    runner,
    text: 'has no record',
    evidence: { views: [] },
  });

  test('gives an instance the record that was decided, once', async () => {
    const sweeper = await world.sweeper();
    const { scaleSetId } = set.spec;
    const runner = aRunner({ scaleSetId, runnerId: `adopt${sets}`, state: 'busy' });
    const led = world.led(
      sweeper,
      finding(() => [adopt(runner)]),
    );

    const first = await world.run(sweeper, led);
    const second = await world.run(sweeper, led);

    expect(first.acted.adopt).toBe(1);
    expect(second).toMatchObject({ acted: { adopt: 0 }, left: { 'has a record': 1 } });
    expect(await world.bench.read(runner)).toMatchObject({
      state: 'busy',
      adopted: { by: `janitor ${sweeper.instance}` },
    });
    expect(await world.bench.events(runner)).toEqual(['runner.adopted']);
  });

  test('never brings back a runner whose record was deleted a moment ago', async () => {
    const sweeper = await world.sweeper();
    const runner = await idle(`back${sets}`);
    const key = runnerKey(runner.scaleSetId, runner.runnerId);
    const entry = await world.bench.runners.get(key);
    await world.bench.runners.delete(key, entry?.revision ?? 0);

    const result = await world.run(
      sweeper,
      world.led(
        sweeper,
        finding(() => [adopt(runner)]),
      ),
    );

    expect(result.left).toMatchObject({ 'has a record': 1 });
    expect(await world.bench.read(runner)).toBeUndefined();
  });
});

describe('deregistering', () => {
  test('takes the registration off the list, also when it is asked to twice', async () => {
    const sweeper = await world.sweeper();
    const { client } = world.bench.github();
    const name = `set-${sets}-test-stray${sets}`;
    const jit = await client.generateJitConfig(set.githubId, { name, workFolder: '_work' });
    const found = { runnerId: `stray${sets}`, text: 'nobody knows it', evidence: { views: [] } };
    const sweep = finding(() => [], {
      name: 'orphan-registrations',
      needs: ['registrations'],
      asksAbout: 'all',
      decide: ({ registrations }, memory) => ({
        findings: [...registrations].flatMap(([scope, { items }]) =>
          items
            .filter((one) => one.id === jit.runner.id)
            .map(
              (registration) => ({ action: 'deregister', registration, scope, ...found }) as const,
            ),
        ),
        ...{ lookedAt: 1, left: {}, memory },
      }),
    });
    const led = world.led(sweeper, sweep);

    const [first] = await Promise.all([world.run(sweeper, led)]);
    await world.bench.clock.advance(6_000);
    const second = await world.run(sweeper, led);

    expect(first.acted.deregister).toBe(1);
    expect(second.acted.deregister).toBe(0);
    const { registrations } = await world.bench.sim.control.books();
    expect(registrations).not.toContain(name);
  });
});
