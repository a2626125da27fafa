import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ScaleSetDeclaration, Spec } from '@baton/shared/contracts';
import { observeRunner } from '@baton/shared/runners';
import { eventually } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createRunner } from './create-runner.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { watchInstances } from './watch-instances.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const minute = 60_000;
const { signal } = new AbortController();

/** Waits for the file, then exits with what it says. Notes its pid beside. */
const script = 'echo $$ >> "$0.pids"; while [ ! -e "$0" ]; do sleep 0.05; done; exit "$(cat "$0")"';

/** A scale set whose runners are processes that wait to be told how to end. */
async function aScaleSet(name: string, declaration: Partial<ScaleSetDeclaration>) {
  const dir = await mkdtemp(join(tmpdir(), 'baton-ends-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  const end = join(dir, 'end');
  const spec = await bench.register(name, { provider: name, ...declaration });
  const provider = await bench.processes(name, { command: ['/bin/sh', '-c', script, end] });
  const provisioner = await bench.provisioner(provider, { name });
  const alive = async () =>
    (await provider.list(signal)).filter(({ state }) => state !== 'exited').length;
  return {
    spec,
    provisioner,
    alive,
    /** Everybody exits with this code, also who comes later, until `letLive`. */
    exit: (code: number) => writeFile(end, `${code}`),
    letLive: () => rm(end),
    kill: async (count: number) => {
      const pids = await eventually(async () => {
        const known = (await readFile(`${end}.pids`, 'utf8')).trim().split('\n');
        expect(known).toHaveLength(count);
        return known;
      });
      for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
    },
  };
}

/** Plans, and creates what the plan names. */
async function work(provisioner: Provisioner, { scaleSetId }: Spec): Promise<void> {
  await provisioner.planner.reconcile(scaleSetId);
  const entries = await provisioner.runners.list(scaleSetId);
  const requested = entries.filter(({ value }) => value.state === 'requested');
  for (const { value } of requested) {
    await createRunner(provisioner, { v: 1, scaleSetId, runnerId: value.runnerId }, signal);
  }
}

async function comeOnline(provisioner: Provisioner, spec: Spec): Promise<void> {
  await bench.clock.advance(1_000);
  for (const runner of await bench.runnersOf(spec)) {
    if (runner.state !== 'starting') continue;
    const githubRunnerId = runner.githubRunnerId ?? 0;
    await observeRunner(provisioner, runner, { kind: 'online', githubRunnerId });
  }
  await provisioner.planner.reconcile(spec.scaleSetId);
}

/** Looks once at the instances, which have ended, until all that is in their records. */
async function noticeEnds(provisioner: Provisioner, spec: Spec): Promise<void> {
  const stop = new AbortController();
  const watching = watchInstances(
    provisioner,
    { name: 'local', provider: provisioner.provider },
    stop.signal,
  );
  await eventually(async () => {
    const runners = await bench.runnersOf(spec);
    const noticed = runners.filter(({ exit }) => exit !== undefined);
    const { length } = (await provisioner.provider.list(signal)).filter(
      ({ state }) => state === 'exited',
    );
    expect(noticed.length).toBe(length);
  });
  stop.abort(new Error('noticed'));
  await watching;
}

const conditionsOf = async (spec: Spec) =>
  ((await bench.planOf(spec)).conditions ?? []).map(({ type }) => type);

describe('idle runners of a warm pool', () => {
  test('that are all killed are made again in one pass', async () => {
    const set = await aScaleSet('killed', { minRunners: 3 });
    const { spec, provisioner } = set;
    await work(provisioner, spec);
    await comeOnline(provisioner, spec);
    await eventually(async () => expect(await set.alive()).toBe(3));

    await set.kill(3);
    await eventually(async () => expect(await set.alive()).toBe(0));
    await noticeEnds(provisioner, spec);
    await work(provisioner, spec);

    await eventually(async () => expect(await set.alive()).toBe(3));
    expect((await bench.planOf(spec)).runners).toHaveLength(3);
    expect(await conditionsOf(spec)).toEqual([]);
  });

  test('that GitHub removes after minutes are replaced, and are no failures', async () => {
    const set = await aScaleSet('removed', { minRunners: 3 });
    const { spec, provisioner } = set;
    await bench.demand(spec, { assigned: 0 });
    for (let round = 0; round < 4; round += 1) {
      await work(provisioner, spec);
      await comeOnline(provisioner, spec);
      await eventually(async () => expect(await set.alive()).toBe(3));
      await bench.clock.advance(5 * minute);
      await set.exit(0);
      await eventually(async () => expect(await set.alive()).toBe(0));
      await noticeEnds(provisioner, spec);
      await set.letLive();
    }
    await work(provisioner, spec);

    const plan = await bench.planOf(spec);
    expect(await set.alive()).toBe(3);
    expect(plan.runners).toHaveLength(3);
    expect(plan.backoff).toBeUndefined();
    expect(plan.conditions).toBeUndefined();
  });
});

describe('a runner program that is too old for GitHub', () => {
  test('stops creation once, is told, and is used no more when the image changed', async () => {
    const set = await aScaleSet('outdated', { maxRunners: 4 });
    const { spec, provisioner } = set;
    await bench.demand(spec, { assigned: 4 });
    await set.exit(7);
    await work(provisioner, spec);
    await eventually(async () => expect(await set.alive()).toBe(0));
    await noticeEnds(provisioner, spec);
    for (let pass = 0; pass < 20; pass += 1) {
      await bench.clock.advance(minute);
      await work(provisioner, spec);
      await eventually(async () => expect(await set.alive()).toBe(0));
      await noticeEnds(provisioner, spec);
    }

    const stopped = await bench.planOf(spec);
    expect(stopped.runners).toEqual([]);
    expect(await conditionsOf(spec)).toEqual(['runner-outdated']);
    // One after 1, 3, 7 and 15 minutes.
    expect(await bench.runnersOf(spec)).toHaveLength(8);
    const told = (await bench.events(spec)).filter((type) => type === 'condition.changed');
    expect(told).toHaveLength(1);

    await set.letLive();
    await bench.stores.specs.put(spec.scaleSetId, { ...spec, generation: 'g2' });
    await work(provisioner, spec);

    expect(await set.alive()).toBe(4);
    expect(await conditionsOf(spec)).toEqual([]);
  });
});
