import { type ComputeProvider, type Instance, ProviderError } from '@baton/providers';
import { eventually } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bench, type Janitor } from '../testing/bench.ts';

let bench: Bench;
let janitor: Janitor;

beforeAll(async () => {
  bench = await Bench.start();
  janitor = await bench.janitor();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

function inMs(ms: number): string {
  return new Date(bench.clock.now() + ms).toISOString();
}

describe('while GitHub is down', () => {
  test('an instance with an open gate goes at once, and GitHub is told when it is back', async () => {
    const runner = await bench.running(await bench.register('outage-none'), 'none');
    await bench.sim.control.outage(600_000);

    await bench.delete(janitor, runner);
    const owed = await bench.read(runner);
    const instanceIsThere = await bench.hasInstance(runner);
    await bench.sim.control.clearFaults();
    const wasRegistered = await bench.isRegistered(runner);
    await bench.clock.advance(60_000);
    await bench.delete(janitor, runner);

    expect(instanceIsThere).toBe(false);
    expect(owed).toMatchObject({
      state: 'deleting',
      deletion: { attempts: 1, instanceDeleted: true, deregistered: false },
    });
    expect(owed?.deletion?.lastError).toContain('503');
    expect(wasRegistered).toBe(true);
    expect(await bench.isRegistered(runner)).toBe(false);
    expect(await bench.read(runner)).toBeUndefined();
    expect(await bench.events(runner)).toEqual(['runner.deleted']);
  });

  test('an instance whose gate is GitHub’s is not touched', async () => {
    const runner = await bench.running(await bench.register('outage-github'), 'github');
    await bench.sim.control.outage(600_000);

    await bench.delete(janitor, runner);
    const waiting = await bench.read(runner);
    const instanceIsThere = await bench.hasInstance(runner);
    await bench.sim.control.clearFaults();
    await bench.clock.advance(60_000);
    await bench.delete(janitor, runner);

    expect(instanceIsThere).toBe(true);
    expect(waiting?.deletion).toMatchObject({ instanceDeleted: false, deregistered: false });
    expect(await bench.hasInstance(runner)).toBe(false);
    expect(await bench.read(runner)).toBeUndefined();
  });
});

describe('a deletion that waits for GitHub', () => {
  test('is done with the instance as soon as the runner is seen to end, however long it was to wait', async () => {
    const runner = await bench.running(await bench.register('ended-in-outage'), 'github');
    await bench.sim.control.outage(600_000);

    await bench.delete(janitor, runner);
    const waiting = await bench.read(runner);
    if (waiting) await bench.rewrite({ ...waiting, exit: { code: 0, at: inMs(0) } });
    await bench.delete(janitor, runner);
    const instanceIsThere = await bench.hasInstance(runner);
    await bench.sim.control.clearFaults();

    expect(waiting?.deletion).toMatchObject({ instanceDeleted: false, failedStep: 'deregister' });
    expect(instanceIsThere).toBe(false);
  });
});

describe('a deletion that fails', () => {
  test('shows its error and waits longer each time', async () => {
    const set = await bench.register('unknown-provider');
    const runner = await bench.record(set, { provider: 'elsewhere', instanceId: 'i-1' });
    const first = inMs(1_500);

    await bench.delete(janitor, runner);
    const failed = await bench.read(runner);
    await bench.delete(janitor, runner);
    const tooEarly = await bench.read(runner);
    await bench.clock.advance(1_500);
    const second = inMs(2_500);
    await bench.delete(janitor, runner);

    expect(failed).toMatchObject({ state: 'deleting', deletion: { attempts: 1, retryAt: first } });
    expect(failed?.deletion?.lastError).toContain('"elsewhere"');
    expect(tooEarly).toEqual(failed);
    expect((await bench.read(runner))?.deletion).toMatchObject({ attempts: 2, retryAt: second });
    expect(await bench.events(runner)).toEqual([]);
  });

  test('for want of a spec says so and lets the instance go first', async () => {
    const set = await bench.register('no-spec');
    const runner = await bench.running(set, 'none');
    const orphan = await bench.record(
      { ...set, spec: { ...set.spec, scaleSetId: 'no-such-set' } },
      { runnerId: runner.runnerId, instanceId: runner.runnerId },
    );

    await bench.delete(janitor, orphan);

    expect(await bench.hasInstance(orphan)).toBe(false);
    expect((await bench.read(orphan))?.deletion?.lastError).toContain('no-such-set has no spec');
  });

  test('keeps what was done before it failed', async () => {
    const provider = new StubbornProvider();
    const broken = await bench.janitor(provider);
    const runner = await bench.running(await bench.register('half-done'), 'github');

    await bench.delete(broken, runner);

    expect(await bench.isRegistered(runner)).toBe(false);
    expect((await bench.read(runner))?.deletion).toMatchObject({
      deregistered: true,
      instanceDeleted: false,
      lastError: 'the host is gone',
    });
  });

  test.each([
    { name: 'hanging-delete', instanceId: 'i-1' },
    { name: 'hanging-list', instanceId: undefined },
  ])('because the provider does not answer ends at its deadline: $name', async (part) => {
    const provider = new StubbornProvider();
    provider.hangs = true;
    const broken = await bench.janitor(provider);
    const { name, instanceId } = part;
    const set = await bench.register(name);
    const creator = { v: 1 as const, identity: 'provisioner-0', incarnation: 'gone' };
    const runner = await bench.record(set, instanceId === undefined ? { creator } : { instanceId });
    const deleting = bench.delete(broken, runner);
    await eventually(() => expect(provider.asked).toBe(true));

    await bench.clock.advance(broken.limits.deleteTimeoutMs);
    await deleting;

    expect((await bench.read(runner))?.deletion).toMatchObject({
      attempts: 1,
      instanceDeleted: false,
      lastError: 'delete instance took longer than 60000 ms',
    });
  });
});

/** Neither shows nor deletes anything: it fails, or does not even answer. */
class StubbornProvider implements ComputeProvider {
  asked = false;
  hangs = false;

  create(): Promise<{ instanceId: string }> {
    return this.#refuse();
  }

  list(): Promise<Instance[]> {
    return this.#refuse();
  }

  delete(): Promise<void> {
    return this.#refuse();
  }

  capacity(): Promise<{ free: number }> {
    return this.#refuse();
  }

  #refuse(): Promise<never> {
    this.asked = true;
    if (this.hangs) return new Promise(() => undefined);
    return Promise.reject(new ProviderError('transient', 'the host is gone'));
  }
}
