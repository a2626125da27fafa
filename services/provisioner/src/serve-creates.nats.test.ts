import type { FaultRuleInput } from '@baton/github-sim';
import type { Runner, Spec } from '@baton/shared/contracts';
import { systemClock } from '@baton/shared/time';
import { eventually } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { consumeCreates, serveCreates } from './serve-creates.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { failsAtOnce, hangs, PlayingProvider } from './testing/playing-provider.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const limits = { createConcurrency: 20, createConcurrencyPerScaleSet: 15 };

/** Has a provisioner take create commands until the test is over, or `stop` is called. */
function serve(provisioner: Provisioner) {
  const [stop, hurry] = [new AbortController(), new AbortController()];
  const queue = serveCreates(provisioner, limits, hurry.signal);
  const signals = { signal: stop.signal, abort: hurry.signal };
  const ended = consumeCreates(provisioner.nats, queue, provisioner, signals);
  onTestFinished(async () => {
    stop.abort();
    hurry.abort();
    await ended;
  });
  return {
    queue,
    stop: async () => {
      stop.abort();
      await ended;
    },
  };
}

async function request(spec: Spec, provisioner: Provisioner, assigned: number): Promise<void> {
  await bench.demand(spec, { assigned });
  await provisioner.planner.reconcile(spec.scaleSetId);
}

const inState = (records: readonly Runner[], state: Runner['state']) =>
  records.filter((runner) => runner.state === state);

async function created(spec: Spec, count: number): Promise<void> {
  await eventually(
    async () => expect(inState(await bench.runnersOf(spec), 'starting')).toHaveLength(count),
    { timeoutMs: 15_000 },
  );
}

describe('a thousand commands of a scale set', () => {
  const refused: FaultRuleInput['action'] = { kind: 'status', status: 403, body: '{}' };
  test.each([
    { what: 'its provider hangs', name: 'hanging', play: hangs, fault: undefined },
    { what: 'its provider fails at once', name: 'failing', play: failsAtOnce, fault: undefined },
    { what: 'GitHub refuses its JIT configs', name: 'refused', play: undefined, fault: refused },
    {
      what: 'GitHub does not answer',
      name: 'mute',
      play: undefined,
      fault: { kind: 'hang' } as const,
    },
  ])('do not stand in front of another’s create when $what', async ({ name, play, fault }) => {
    const provider = new PlayingProvider();
    const provisioner = await bench.provisioner(provider);
    const broken = await bench.register(`broken-${name}`, { maxRunners: 1_000 });
    const healthy = await bench.register(`healthy-${name}`);
    if (play) provider.play(broken.scaleSetId, play);
    if (fault) {
      const scaleSet = `broken-${name}`;
      await bench.sim.control.addFault({ route: 'generateJitConfig', scaleSet, action: fault });
    }
    await request(broken, provisioner, 1_000);
    await request(healthy, provisioner, 3);

    serve(provisioner);
    await created(healthy, 3);

    const untouched = inState(await bench.runnersOf(broken), 'requested').filter(
      ({ postponed }) => postponed === undefined,
    );
    const askedBefore = provider.asked.filter(({ scaleSetId }) => scaleSetId === broken.scaleSetId);
    expect(untouched.length).toBeGreaterThan(500);
    expect(askedBefore.length).toBeLessThan(100);
    await bench.sim.control.clearFaults();
  });
});

describe('a burst', () => {
  test('is shared by two provisioners, and each runner is made once', async () => {
    const provider = new PlayingProvider();
    const spec = await bench.register('burst', { maxRunners: 400 });
    provider.play(spec.scaleSetId, async () => await systemClock.sleep(20));
    const one = await bench.provisioner(provider);
    const other = await bench.provisioner(provider);
    const ticking = setInterval(() => void bench.clock.advance(500), 50);
    onTestFinished(() => clearInterval(ticking));
    serve(one);
    serve(other);

    await request(spec, one, 400);
    await created(spec, 400);

    const creators = (await bench.runnersOf(spec)).map(({ creator }) => creator?.identity);
    const ofOne = creators.filter((identity) => identity === one.instance).length;
    expect(new Set(provider.asked.map(({ runnerId }) => runnerId)).size).toBe(400);
    expect(provider.asked).toHaveLength(400);
    expect(ofOne).toBeGreaterThan(100);
    expect(ofOne).toBeLessThan(300);
  });
});

describe('a provisioner that is stopped', () => {
  test('has others do what waited in it, at once', async () => {
    const provider = new PlayingProvider();
    const spec = await bench.register('handed-over', { maxRunners: 40 });
    const leaving = await bench.provisioner(provider);
    const gate = Promise.withResolvers<undefined>();
    provider.play(spec.scaleSetId, async () => await gate.promise);
    const { queue, stop } = serve(leaving);
    await request(spec, leaving, 40);
    await eventually(() => expect(provider.asked).toHaveLength(15));
    const known = async () =>
      (await bench.runnersOf(spec)).filter(({ runnerId }) => queue.has(runnerId)).length;
    await eventually(async () => expect(await known()).toBe(40));

    const stopped = stop();
    await eventually(async () => expect(await known()).toBe(15));
    gate.resolve(undefined);
    await stopped;
    serve(await bench.provisioner(provider));

    await created(spec, 40);
    expect(provider.asked).toHaveLength(40);
  });
});
