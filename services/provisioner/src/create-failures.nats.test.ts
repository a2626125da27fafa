import type { ComputeProvider } from '@baton/providers';
import { Secret } from '@baton/shared/config';
import type { Runner } from '@baton/shared/contracts';
import { eventually, installationId } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRunner } from './create-runner.ts';
import { periodicPass } from './periodic-pass.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { EmptyProvider } from './testing/empty-provider.ts';

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

async function aRequest(name: string, provider?: ComputeProvider, on = bench) {
  const spec = await on.register(name);
  const provisioner = await on.provisioner(provider ?? (await on.processes(name)));
  return { spec, provisioner, record: await on.requested(spec, provisioner) };
}

function inMs(ms: number): string {
  return new Date(bench.clock.now() + ms).toISOString();
}

describe('a create that GitHub cannot serve', () => {
  test('waits for its time in the record and is then done', async () => {
    const { spec, provisioner, record } = await aRequest('outage');
    const status = { kind: 'status', status: 503 } as const;
    await bench.sim.control.addFault({
      route: 'generateJitConfig',
      scaleSet: 'outage',
      first: 1,
      action: status,
    });
    const retryAt = inMs(3_750);

    const outcome = await command(provisioner, record);
    const postponed = await bench.runner(spec, record.runnerId);
    await command(provisioner, record);
    const tooEarly = await bench.runner(spec, record.runnerId);
    await bench.clock.advance(3_751);
    await command(provisioner, record);

    expect(outcome).toBe('held-back');
    expect(postponed).toMatchObject({
      state: 'requested',
      retryAt,
      postponed: { count: 1, reason: expect.stringContaining('unavailable: ') as string },
    });
    expect(tooEarly).toEqual(postponed);
    expect(await bench.runner(spec, record.runnerId)).toMatchObject({ state: 'starting' });
    expect(await bench.planOf(spec)).not.toHaveProperty('backoff');
  });

  test('waits as long as GitHub asks', async () => {
    // A limit concerns all calls of a process to that host.
    await using limited = await Bench.start();
    const { spec, provisioner, record } = await aRequest('rate-limited', undefined, limited);
    const retryAt = new Date(limited.clock.now() + 40_000).toISOString();
    await limited.sim.control.addFault({
      route: 'generateJitConfig',
      scaleSet: 'rate-limited',
      action: { kind: 'status', status: 503, headers: { 'Retry-After': '40' } },
    });

    await command(provisioner, record);

    expect(await limited.runner(spec, record.runnerId)).toMatchObject({ retryAt });
  });

  test('is asked for again by the pass when its time has come, not before', async () => {
    const spec = await bench.declare('not-registered');
    const provisioner = await bench.provisioner(new EmptyProvider());
    const record = await bench.requested(spec, provisioner);
    await command(provisioner, record);
    const before = await bench.commands('create', spec);

    await bench.clock.advance(3_749);
    await periodicPass(provisioner);
    const early = await bench.commands('create', spec);
    await bench.clock.advance(2);
    await periodicPass(provisioner);

    expect(await bench.runner(spec, record.runnerId)).toMatchObject({ state: 'requested' });
    expect(early).toEqual(before);
    expect(await bench.commands('create', spec)).toEqual([...before, record.runnerId]);
  });
});

describe('a create that fails', () => {
  test('because the provider is full shows in the plan, and its successor waits', async () => {
    const provider = await bench.processes('full', { maxInstances: 1 });
    const spec = await bench.register('full', { provider: 'full' });
    const provisioner = await bench.provisioner(provider, { name: 'full' });
    const record = await bench.requested(spec, provisioner);
    const neighbour = { runnerId: 'neighbour', runnerName: 'n', scaleSetId: 'n', generation: 'g' };
    const jitConfig = new Secret('none');
    await provider.create({ ...neighbour, installationId, jitConfig, settings: {} }, signal);

    await command(provisioner, record);

    const plan = await bench.planOf(spec);
    expect(plan).toMatchObject({
      runners: [],
      backoff: { failures: 0, retryAt: inMs(7_500), reason: 'quota: maxInstances is reached' },
    });
    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      state: 'marked',
      failure: { class: 'quota' },
      mark: { reason: 'create-failed', gate: 'github' },
    });
    expect(await bench.commands('delete', spec)).toEqual([record.runnerId]);
    await eventually(async () => {
      expect(await bench.events(spec)).toContain('runner.failed');
      expect(await bench.events(spec, 'text')).toContain('maxInstances is reached');
    });
  });

  test('because the provider does not answer ends at its deadline, and GitHub keeps the gate', async () => {
    const provider = new HangingProvider();
    const { spec, provisioner, record } = await aRequest('hanging', provider);
    const creating = command(provisioner, record);
    await eventually(() => expect(provider.asked).toBe(true));

    await bench.clock.advance(provisioner.createTimeoutMs);
    await creating;

    expect(provider.aborted).toBe(true);
    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      failure: { class: 'timeout' },
      mark: { reason: 'create-failed', gate: 'github' },
    });
  });

  test('because of a wrong setting says so', async () => {
    const spec = await bench.register('wrong-setting', { settings: { image: 'x' } });
    const provisioner = await bench.provisioner(await bench.processes('wrong-setting'));
    const record = await bench.requested(spec, provisioner);

    await command(provisioner, record);

    expect((await bench.planOf(spec)).backoff?.reason).toMatch(
      /^invalid-settings: .*Unrecognized key: "image"/s,
    );
  });

  test('because nobody configured its provider says so', async () => {
    const { spec, provisioner, record } = await aRequest('no-provider', new EmptyProvider());

    await command({ ...provisioner, providers: new Map() }, record);

    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      failure: { class: 'config', text: expect.stringContaining('"local"') as string },
    });
  });
});

/** Begins to create and never ends. */
class HangingProvider extends EmptyProvider {
  asked = false;
  aborted = false;

  override create(_request: unknown, within: AbortSignal): Promise<{ instanceId: string }> {
    this.asked = true;
    within.addEventListener('abort', () => {
      this.aborted = true;
    });
    return new Promise(() => undefined);
  }
}
