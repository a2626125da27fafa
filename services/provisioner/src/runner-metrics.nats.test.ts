import type { Runner } from '@baton/shared/contracts';
import { observeRunner } from '@baton/shared/runners';
import { isoNow } from '@baton/shared/time';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRunner } from './create-runner.ts';
import { handleEvent } from './handle-event.ts';
import { periodicPass } from './periodic-pass.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { jobEvent } from './testing/job-events.ts';
import { measured } from './testing/measured.ts';
import { failsAtOnce, PlayingProvider } from './testing/playing-provider.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();

async function command(provisioner: Provisioner, { scaleSetId, runnerId }: Runner) {
  return await createRunner(provisioner, { v: 1, scaleSetId, runnerId }, signal);
}

/** A scale set whose provider makes instances in memory, as it is told. */
async function aSet(name: string) {
  const provider = new PlayingProvider();
  const spec = await bench.register(name, { minRunners: 1, maxRunners: 3, provider: name });
  const provisioner = await bench.provisioner(provider, { name });
  const scaleSet = { scale_set: spec.scaleSetId };
  const read = (metric: string, labels = {}) => measured(provisioner.metrics, metric, labels);
  return { spec, provider, provisioner, read, scaleSet };
}

describe('what is wanted of a scale set', () => {
  test('is told as it was planned last, and no more when the scale set is gone', async () => {
    const { spec, provisioner, read, scaleSet } = await aSet('wanted');
    provisioner.runnerMetrics.createFailed({ ...spec, provider: 'wanted' }, 'quota');
    const failures = () => read('baton_create_failures_total', scaleSet);
    const failed = failures();
    const wanted = () =>
      ['desired', 'min', 'max'].map((what) => read(`baton_${what}_runners`, scaleSet));
    await bench.demand(spec, { assigned: 1 });

    await periodicPass(provisioner);
    const some = wanted();
    await bench.demand(spec, { assigned: 7, seq: 1 });
    await periodicPass(provisioner);
    const many = wanted();
    const declared = await bench.stores.specs.get(spec.scaleSetId);
    await bench.stores.specs.delete(spec.scaleSetId, declared?.revision ?? 0);
    await periodicPass(provisioner);

    expect(some).toEqual([2, 1, 3]);
    expect(many).toEqual([3, 1, 3]);
    expect(wanted()).toEqual([undefined, undefined, undefined]);
    expect([failed, failures()]).toEqual([1, undefined]);
    expect([...provisioner.conditions.gauge.read()]).toEqual([]);
  });
});

describe('the way of a runner', () => {
  test('is measured from the demand to the end of its job, each part once', async () => {
    const { spec, provider, provisioner, read, scaleSet } = await aSet('measured');
    const { scaleSetId } = spec;
    const other = await bench.provisioner(provider, { name: 'measured' });
    const inProvider = { provider: 'measured' };
    await provisioner.planner.reconcile(scaleSetId);
    const observedAt = isoNow(bench.clock);
    await bench.clock.advance(2_000);
    await bench.demand(spec, { assigned: 1, observedAt });
    await provisioner.planner.reconcile(scaleSetId);
    const [warm, runner] = (await bench.runnersOf(spec)).toSorted((a, b) =>
      a.createdAt < b.createdAt ? -1 : 1,
    );
    if (!warm || !runner) throw new Error('not two runners were requested');
    await bench.clock.advance(500);
    await Promise.all([command(provisioner, runner), command(other, runner)]);
    await bench.clock.advance(9_000);
    await observeRunner(provisioner, runner, { kind: 'online', githubRunnerId: 7 });
    await bench.clock.advance(4_000);
    const started = jobEvent(runner, 'started', isoNow(bench.clock));
    await handleEvent(provisioner, started);
    await bench.clock.advance(60_000);
    const completed = jobEvent(runner, 'completed', isoNow(bench.clock));
    for (const event of [completed, started, completed]) await handleEvent(provisioner, event);

    // The warm runner was asked for by no demand.
    expect(read('baton_demand_to_requested_seconds')).toEqual({ count: 1, sum: 2 });
    const { metrics } = [provisioner, other].find(
      (one) => measured(one.metrics, 'baton_create_seconds') !== undefined,
    ) ?? { metrics: provisioner.metrics };
    const made = (metric: string) => measured(metrics, metric, inProvider);
    expect(made('baton_requested_to_created_seconds')).toEqual({ count: 1, sum: 0.5 });
    expect(made('baton_create_seconds')).toMatchObject({ count: 1 });
    expect(read('baton_created_to_online_seconds', inProvider)).toEqual({ count: 1, sum: 9 });
    expect(read('baton_online_to_job_seconds', inProvider)).toEqual({ count: 1, sum: 4 });
    expect(read('baton_job_seconds', scaleSet)).toEqual({ count: 1, sum: 60 });
  });
});

describe('creates that fail', () => {
  test('are counted by class, once each, whether they were put off or given up', async () => {
    const { spec, provider, provisioner, read, scaleSet } = await aSet('failing');
    const failed = (failureClass: string) =>
      read('baton_create_failures_total', {
        ...scaleSet,
        provider: 'failing',
        class: failureClass,
      });
    const outcome = (what: string) => read('baton_create_seconds', { outcome: what });
    const { planner } = provisioner;
    await bench.sim.control.addFault({
      route: 'generateJitConfig',
      scaleSet: 'failing',
      first: 1,
      action: { kind: 'status', status: 503 },
    });
    await planner.reconcile(spec.scaleSetId);
    const [runner] = await bench.runnersOf(spec);
    if (!runner) throw new Error('no runner was requested');

    await command(provisioner, runner);
    const once = [failed('unavailable'), outcome('postponed')];
    await bench.clock.advance(10_000);
    provider.play(spec.scaleSetId, failsAtOnce);
    await command(provisioner, runner);

    expect(once).toEqual([1, { count: 1, sum: expect.any(Number) as number }]);
    expect([failed('unavailable'), failed('transient')]).toEqual([1, 1]);
    expect(outcome('failed')).toMatchObject({ count: 1 });
    await planner.reconcile(spec.scaleSetId);
    expect(failed('transient')).toBe(1);
  });

  test('show that the breaker of the provider is open, until one succeeds', async () => {
    const { spec, provider, provisioner, read } = await aSet('broken');
    const { breaker } = provisioner.gates.get('broken') ?? {};
    const broken = { provider: 'broken' };
    const isOpen = () => read('baton_breaker_open', broken);
    await periodicPass(provisioner);
    const before = [isOpen(), read('baton_provider_free_instances', broken)];

    for (let count = 0; count < 5; count += 1) breaker?.createFailed(spec.scaleSetId, 'no network');
    const open = isOpen();
    breaker?.createSucceeded();

    const { free } = await provider.capacity();
    expect(before).toEqual([0, free]);
    expect([open, isOpen()]).toEqual([1, 0]);
  });
});
