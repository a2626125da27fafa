import { observeRunner } from '@baton/shared/runners';
import { installationId } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRunner } from './create-runner.ts';
import { periodicPass } from './periodic-pass.ts';
import { Bench } from './testing/bench.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();

/**
 * A runner whose creator, on host `a`, was killed after it had made the instance; a successor on that
 * host, and a provisioner on host `b`.
 */
async function interrupted(name: string) {
  const spec = await bench.register(name);
  const [onA, onB] = await Promise.all([
    bench.processes(`${name}-a`, { hostId: 'a' }),
    bench.processes(`${name}-b`, { hostId: 'b' }),
  ]);
  const dead = await bench.provisioner(onA, { alive: false });
  const [heir, other] = [await bench.provisioner(onA), await bench.provisioner(onB)];
  const requested = await bench.requested(spec, dead);
  const creating = { kind: 'creating', creator: dead.holder, hostId: 'a' } as const;
  const record = (await observeRunner(dead, requested, creating))?.runner ?? requested;
  const { runnerId, name: runnerName, scaleSetId, generation } = record;
  const who = { runnerId, runnerName, scaleSetId, generation, installationId };
  const jitConfig = await bench.jitConfig(spec, runnerName);
  await onA.create({ ...who, jitConfig, settings: {} }, signal);
  // As long as its creator may still be at it by the creator's own clock.
  await bench.clock.advance(2 * heir.createTimeoutMs + 1);
  return { spec, record, onA, onB, heir, other };
}

describe('a runner', () => {
  test('carries the host of its provisioner from the moment it is created', async () => {
    const spec = await bench.register('carries');
    const provisioner = await bench.provisioner(await bench.processes('carries', { hostId: 'h1' }));
    const record = await bench.requested(spec, provisioner);

    await createRunner(provisioner, record, signal);

    expect(record.hostId).toBeUndefined();
    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      state: 'starting',
      hostId: 'h1',
    });
  });

  test('that another host was creating is neither adopted nor given up', async () => {
    const { spec, record, onB, other } = await interrupted('not-ours');

    const outcome = await createRunner(other, record, signal);
    await periodicPass({ ...other, signal });

    expect(outcome).toBe('nothing');
    expect(await bench.runner(spec, record.runnerId)).toEqual(record);
    expect(await onB.list(signal)).toEqual([]);
    expect(await bench.commands('create', spec)).toEqual([record.runnerId]);
  });

  test('whose host does not come back loses its place after an hour, and nothing else', async () => {
    const { spec, record, onA, other } = await interrupted('host-gone');

    await bench.clock.advance(3_600_000);
    await periodicPass({ ...other, signal });

    const { runnerId } = record;
    expect(await bench.runner(spec, runnerId)).toMatchObject({
      hostId: 'a',
      failure: { class: 'interrupted' },
      mark: { reason: 'create-failed', gate: 'github' },
    });
    const { runners } = await bench.planOf(spec);
    expect(runners).toHaveLength(1);
    expect(runners[0]?.runnerId).not.toBe(runnerId);
    expect(await onA.list(signal)).toHaveLength(1);
  });

  test('that this host was creating is adopted by its pass, without a command', async () => {
    const { spec, record, onA, heir } = await interrupted('ours');

    await periodicPass({ ...heir, signal });

    expect(await bench.runner(spec, record.runnerId)).toMatchObject({
      state: 'starting',
      hostId: 'a',
      instanceId: record.runnerId,
    });
    expect(await onA.list(signal)).toHaveLength(1);
    expect(await bench.commands('create', spec)).toEqual([record.runnerId]);
  });

  test('whose create was postponed may be created on another host', async () => {
    const { spec, record, heir, other } = await interrupted('postponed');
    const retryAt = new Date(bench.clock.now()).toISOString();

    await observeRunner(heir, record, { kind: 'postponed', retryAt, reason: 'GitHub is away' });
    await createRunner(other, record, signal);

    expect((await bench.runner(spec, record.runnerId))?.hostId).toBe('b');
  });
});
