import type { Instance } from '@baton/providers';
import { type Runner, runnerKey, type Spec } from '@baton/shared/contracts';
import { aPlan, aRunner, eventually } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { periodicPass } from './periodic-pass.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { anExit, anInstance, ListedProvider } from './testing/listed-provider.ts';
import { watchInstances } from './watch-instances.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

/** A scale set on a provider of its own with these runners, which got into their state just now. */
async function withRunners(name: string, runnerIds: readonly string[], part: Partial<Runner>) {
  const spec = await bench.declare(name, { provider: name });
  const { scaleSetId } = spec;
  const stateAt = new Date(bench.clock.now()).toISOString();
  const runners = runnerIds.map((runnerId) =>
    aRunner({ scaleSetId, runnerId, provider: name, instanceId: runnerId, stateAt, ...part }),
  );
  await bench.stores.plans.put(scaleSetId, aPlan({ scaleSetId, alive: runnerIds }));
  for (const runner of runners) {
    await bench.stores.runners.put(runnerKey(scaleSetId, runner.runnerId), runner);
  }
  const provider = new ListedProvider(runners.map((runner) => anInstance(runner)));
  const provisioner = await bench.provisioner(provider);
  return { spec, runners, provider, provisioner };
}

function watch(provisioner: Provisioner, spec: Spec, provider: ListedProvider): void {
  const stopped = new AbortController();
  const { provider: name } = spec.declaration;
  const watching = watchInstances(provisioner, { name, provider }, stopped.signal);
  onTestFinished(async () => {
    stopped.abort(new Error('the test is over'));
    await watching;
  });
}

/** Moves time on, letting the watch look once in each half second. */
async function pass(provider: ListedProvider, ms: number): Promise<void> {
  for (let elapsed = 0; elapsed < ms; elapsed += 500) {
    const { asked } = provider;
    await eventually(async () => {
      await bench.clock.advance(0);
      expect(bench.clock.sleeping).toBeGreaterThan(0);
    });
    await bench.clock.advance(500);
    await eventually(() => expect(provider.asked).toBeGreaterThan(asked));
  }
}

async function states(spec: Spec): Promise<string[]> {
  const runners = await bench.runnersOf(spec);
  return runners.map(({ runnerId, state }) => `${runnerId} ${state}`).sort();
}

describe('an instance that is not listed any more', () => {
  test.each(['starting', 'idle', 'busy'] as const)(
    'is lost after two looks, when its runner was %s, and goes when GitHub lets it',
    async (state) => {
      const name = `gone-${state}`;
      const { spec, provider, provisioner } = await withRunners(name, ['r1', 'r2'], { state });
      watch(provisioner, spec, provider);
      await pass(provider, 30_000);

      provider.instances = provider.instances.slice(1);
      await pass(provider, 9_500);
      const early = await states(spec);
      await pass(provider, 10_500);

      expect(early).toEqual([`r1 ${state}`, `r2 ${state}`]);
      await eventually(async () => {
        expect(await bench.runner(spec, 'r1')).toMatchObject({
          state: 'marked',
          mark: { reason: 'lost', gate: 'github' },
          failure: { class: 'lost', text: `provider ${name} does not list r1 any more` },
        });
        expect(await bench.commands('delete', spec)).toEqual(['r1']);
        const { runners } = await bench.planOf(spec);
        expect(runners.map(({ runnerId }) => runnerId)).not.toContain('r1');
      });
      expect(await bench.runner(spec, 'r2')).toMatchObject({ state });
    },
  );

  test('is not believed while the whole list is empty, for a minute', async () => {
    const ids = ['r1', 'r2', 'r3', 'r4'];
    const { spec, provider, provisioner } = await withRunners('empty', ids, { state: 'busy' });
    watch(provisioner, spec, provider);
    await pass(provider, 30_000);
    const all = provider.instances;

    provider.instances = [];
    await pass(provider, 55_000);
    provider.instances = all;
    await pass(provider, 15_000);

    expect(await states(spec)).toEqual(ids.map((id) => `${id} busy`));
  });

  test('is not missed by a provider that fails, or by that of another host', async () => {
    const { spec, provider, provisioner } = await withRunners('failing', ['r1'], {
      state: 'busy',
      hostId: 'another-host',
    });
    const own = aRunner({
      scaleSetId: spec.scaleSetId,
      runnerId: 'r2',
      provider: 'failing',
      instanceId: 'r2',
      state: 'busy',
    });
    await bench.stores.runners.put(runnerKey(spec.scaleSetId, 'r2'), own);
    provider.instances = [anInstance(own)];
    watch(provisioner, spec, provider);
    await pass(provider, 60_000);
    provider.problem = 'the host is gone';
    provider.instances = [];

    await pass(provider, 60_000);

    expect(await states(spec)).toEqual(['r1 busy', 'r2 busy']);
  });

  test('is marked by the pass when whoever saw it ended in between', async () => {
    const { spec, provisioner } = await withRunners('unmarked', ['r1'], { state: 'lost' });

    await periodicPass(provisioner);

    expect(await bench.runner(spec, 'r1')).toMatchObject({ mark: { reason: 'lost' } });
  });
});

describe('an instance that does not come up', () => {
  const trouble = (runner: Runner | undefined, problem: Instance['problem']): Instance[] =>
    runner && problem ? [anInstance(runner, { state: 'starting', problem })] : [];

  test('fails its runner after a minute of a problem that will not pass, and says why', async () => {
    const { spec, runners, provider, provisioner } = await withRunners('no-image', ['r1'], {
      state: 'starting',
    });
    provider.instances = trouble(runners[0], { class: 'image', text: 'image x: not found' });
    watch(provisioner, spec, provider);

    await pass(provider, 59_500);
    const before = await bench.runner(spec, 'r1');
    await pass(provider, 1_000);

    expect(before).toMatchObject({ state: 'starting', progress: 'image x: not found' });
    await eventually(async () => {
      expect(await bench.runner(spec, 'r1')).toMatchObject({
        state: 'marked',
        failure: { class: 'image', text: 'image x: not found' },
        mark: { reason: 'create-failed', gate: 'github' },
      });
    });
  });

  test('only says what keeps it while that may pass by itself', async () => {
    const { spec, runners, provider, provisioner } = await withRunners('no-node', ['r1'], {
      state: 'starting',
    });
    provider.instances = trouble(runners[0], { class: 'quota', text: 'no node has room' });
    watch(provisioner, spec, provider);

    await pass(provider, 120_000);
    const first = await bench.runner(spec, 'r1');
    provider.instances = trouble(runners[0], { class: 'quota', text: '0/3 nodes have room' });
    await pass(provider, 1_000);

    expect(first).toMatchObject({ state: 'starting', progress: 'no node has room' });
    await eventually(async () => {
      expect(await bench.runner(spec, 'r1')).toMatchObject({
        state: 'starting',
        progress: '0/3 nodes have room',
      });
    });
  });

  test('has another minute when its problem was gone in between', async () => {
    const { spec, runners, provider, provisioner } = await withRunners('flapping', ['r1'], {
      state: 'starting',
    });
    const broken = trouble(runners[0], { class: 'image', text: 'pull failed' });
    provider.instances = broken;
    watch(provisioner, spec, provider);
    await pass(provider, 50_000);
    provider.instances = runners.map((runner) => anInstance(runner, { state: 'starting' }));
    await pass(provider, 1_000);
    provider.instances = broken;

    await pass(provider, 50_000);

    expect(await states(spec)).toEqual(['r1 starting']);
  });

  test('keeps the reason that its provider gives for its end', async () => {
    const { spec, runners, provider, provisioner } = await withRunners('evicted', ['r1'], {
      state: 'busy',
    });
    const problem = { class: 'quota', text: 'evicted: the node was low on memory' } as const;
    provider.instances = runners.map((runner) =>
      anInstance(runner, { state: 'exited', exitCode: 137, problem }),
    );

    watch(provisioner, spec, provider);

    await eventually(async () => {
      expect((await bench.runner(spec, 'r1'))?.failure).toEqual({
        class: 'exited',
        text: 'the runner ended with code 137: evicted: the node was low on memory',
      });
    });
  });
});

test('a list may take as long as its provider says', async () => {
  const { spec, runners, provider, provisioner } = await withRunners('long-list', ['r1'], {});
  provider.instances = runners.map((runner) => anExit(runner, 3));
  provider.takes = () => bench.clock.sleep(60_000);

  watch(provisioner, spec, Object.assign(provider, { listTimeoutMs: 90_000 }));

  await eventually(async () => {
    await bench.clock.advance(1_000);
    const [runner] = await bench.runnersOf(spec);
    expect(runner?.exit).toMatchObject({ code: 3 });
  });
});

test('a provider whose list takes two seconds is not asked more than once in ten', async () => {
  const { spec, provider, provisioner } = await withRunners('slow-list', [], {});
  const askedMs: number[] = [];
  provider.takes = async () => {
    askedMs.push(bench.clock.monotonic());
    await bench.clock.sleep(2_000);
  };

  watch(provisioner, spec, provider);
  await eventually(async () => {
    await bench.clock.advance(500);
    expect(askedMs.length).toBeGreaterThanOrEqual(4);
  });

  const gapsMs = askedMs.slice(1).map((ms, index) => ms - (askedMs[index] ?? 0));
  expect(Math.min(...gapsMs)).toBeGreaterThanOrEqual(12_000);
});
