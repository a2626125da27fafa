import { type Runner, runnerKey } from '@baton/shared/contracts';
import { openSpecs } from '@baton/shared/stores';
import { parseTraceparent } from '@baton/shared/telemetry';
import { aRunner, eventually, installationId, recordSpans } from '@baton/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestSet } from '../testing/bench.ts';
import { orphanInstances } from './core/orphan-instances.ts';
import { orphanRegistrationsAt } from './core/orphan-registrations.ts';
import { SweepBench } from './testing/sweep-bench.ts';

const orphanRegistrations = orphanRegistrationsAt({ orphanRegistrationMs: 600_000 });

const minute = 60_000;
const { signal } = new AbortController();

let world: SweepBench;

beforeAll(async () => {
  world = await SweepBench.start();
});
afterEach(async () => {
  const { provider } = world.bench;
  for (const { instanceId } of await provider.list(signal))
    await provider.delete(instanceId, signal);
  await world.clear();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** An instance that runs and is registered, and of which NATS knows nothing. */
async function forgotten(name: string) {
  const set = await world.bench.register(name);
  const { scaleSetId } = set.spec;
  const runner = aRunner({ scaleSetId, runnerId: name, name: `${name}-${installationId}-${name}` });
  const { client } = world.bench.github();
  const registration = { name: runner.name, workFolder: '_work' };
  const jit = await client.generateJitConfig(set.githubId, registration);
  const who = { runnerId: name, runnerName: runner.name, scaleSetId, installationId };
  const request = { ...who, generation: 'g1', jitConfig: jit.encodedJitConfig, settings: {} };
  const { instanceId } = await world.bench.provider.create(request, signal);
  await eventually(async () => {
    const { runners } = await world.bench.sim.control.state();
    expect(runners.find((one) => one.name === runner.name)?.status).toBe('idle');
  });
  return { set, runner: { ...runner, instanceId, githubRunnerId: jit.runner.id } };
}

async function deleteRecord({ scaleSetId, runnerId }: Runner): Promise<void> {
  const key = runnerKey(scaleSetId, runnerId);
  const entry = await world.bench.runners.get(key);
  await world.bench.runners.delete(key, entry?.revision ?? 0);
}

/** As an operator does who deletes a scale set by hand. */
async function undeclare({ spec }: TestSet): Promise<void> {
  const specs = await openSpecs(await world.bench.nats.connect('admin'));
  const entry = await specs.get(spec.scaleSetId);
  await specs.delete(spec.scaleSetId, entry?.revision ?? 0);
}

describe('instances that nobody knows any more', () => {
  test('are adopted as they are, busy or idle, and told of; nothing is deleted', async () => {
    using _spans = recordSpans();
    const { runner: idle } = await forgotten('forgottenidle');
    const { set, runner: busy } = await forgotten('forgottenbusy');
    await world.bench.giveJob(set);
    const sweeper = await world.sweeper();
    const led = world.led(sweeper, orphanInstances);

    const first = await world.run(sweeper, led);
    await world.bench.clock.advance(minute);
    const second = await world.run(sweeper, led);

    expect([first.acted.adopt, second.acted.adopt]).toEqual([0, 2]);
    for (const [runner, state] of [
      [idle, 'idle'],
      [busy, 'busy'],
    ] as const) {
      expect(await world.bench.read(runner)).toMatchObject({
        state,
        name: runner.name,
        instanceId: runner.instanceId,
        githubRunnerId: runner.githubRunnerId,
        hostId: world.bench.provider.hostId,
        adopted: { by: `janitor ${sweeper.instance}` },
      });
      expect(await world.bench.events(runner)).toEqual(['runner.adopted']);
      const { traceparent, tracedFrom } = (await world.bench.read(runner)) ?? {};
      expect([parseTraceparent(traceparent)?.sampled, tracedFrom]).toEqual([true, undefined]);
      expect(await world.bench.commands(runner)).toEqual([]);
      expect(await world.bench.hasInstance(runner)).toBe(true);
    }
  });

  test('are all that GitHub is asked about: nobody else costs it a call', async () => {
    const set = await world.bench.register('asked');
    await world.bench.running(set, 'github');
    const sweeper = await world.sweeper();
    const led = world.led(sweeper, orphanInstances);

    const whole = await world.run(sweeper, led);
    const asked = [...led.seen.keys()];
    await forgotten('unknownone');
    await world.bench.clock.advance(minute);
    await world.run(sweeper, led);

    expect(whole).toMatchObject({ problem: undefined, left: {} });
    expect(asked).toEqual(['instances of local']);
    const places = [...led.seen.keys()].filter((key) => key.startsWith('runners of '));
    expect(places).toHaveLength(1);
  });

  test('are left while they may be what is being deleted', async () => {
    const { runner } = await forgotten('lingering');
    await world.bench.rewrite(runner);
    const sweeper = await world.sweeper();
    const led = world.led(sweeper, orphanInstances);
    await world.run(sweeper, led);
    await deleteRecord(runner);
    for (let run = 0; run < 2; run += 1) {
      await world.bench.clock.advance(20_000);
      await world.run(sweeper, led);
    }

    await world.bench.clock.advance(50_000);
    const result = await world.run(sweeper, led);

    expect(result).toMatchObject({
      acted: { adopt: 0 },
      left: { 'it was deleted of late': 1 },
    });
  });

  test('and that no scale set declares wait for an operator', async () => {
    const { set, runner } = await forgotten('undeclared');
    await undeclare(set);
    const sweeper = await world.sweeper();
    const led = world.led(sweeper, orphanInstances);
    for (let run = 0; run < 4; run += 1) {
      await world.run(sweeper, led);
      await world.bench.clock.advance(10 * minute);
    }

    const { hold } = await world.run(sweeper, led);
    const before = await world.bench.read(runner);
    await world.confirm(led, hold?.id ?? '');
    await world.run(sweeper, led);

    expect(hold).toMatchObject({ runnerIds: [runner.runnerId] });
    expect(before).toMatchObject({ state: 'starting', adopted: {} });
    expect(before).not.toHaveProperty('mark');
    expect(await world.bench.read(runner)).toMatchObject({
      mark: { reason: 'orphan', gate: 'github' },
    });
  });
});

describe('registrations that nobody stands behind', () => {
  test('all go, 50 of them; those of others stay, and so does who lives', async () => {
    const set = await world.bench.register('registered');
    const living = await world.bench.running(set, 'github');
    const { client } = world.bench.github();
    const letters = 'abcdefghij'.split('');
    const ghosts = letters.flatMap((a) =>
      letters.slice(0, 5).map((b) => `registered-test-aaaaaaaa${a}${b}`),
    );
    const foreign = ['registered-prod-ghostghost', 'registered-test-1', 'build-test-abcdefghij'];
    for (const name of [...ghosts, ...foreign]) {
      await client.generateJitConfig(set.githubId, { name, workFolder: '_work' });
    }
    const sweeper = await world.sweeper();
    const led = world.led(sweeper, orphanRegistrations);
    const early = await everyTenMinutes(sweeper, led, 6);
    const before = await namesLike(/^(registered|build)-/);

    const acted = await everyTenMinutes(sweeper, led, 1);
    const after = await namesLike(/^(registered|build)-/);

    expect(early).toBe(0);
    expect(before).toHaveLength(ghosts.length + foreign.length + 1);
    expect(acted).toBe(ghosts.length);
    expect(after).toEqual([...foreign, living.name].toSorted());
  });
});

async function namesLike(pattern: RegExp): Promise<string[]> {
  const { registrations } = await world.bench.sim.control.books();
  return registrations.filter((name) => pattern.test(name)).toSorted();
}

async function everyTenMinutes(
  sweeper: Awaited<ReturnType<SweepBench['sweeper']>>,
  led: ReturnType<SweepBench['led']>,
  times: number,
): Promise<number> {
  let acted = 0;
  for (let run = 0; run < times; run += 1) {
    acted += (await world.run(sweeper, led)).acted.deregister;
    await world.bench.clock.advance(10 * minute);
  }
  return acted;
}
