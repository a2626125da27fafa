import type { ComputeProvider } from '@baton/providers';
import { Secret } from '@baton/shared/config';
import { type Runner, runnerKey } from '@baton/shared/contracts';
import { aRunner, at, eventually, installationId } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Bench, type Provisioner } from './testing/bench.ts';
import { anExit, ListedProvider } from './testing/listed-provider.ts';
import { watchInstances } from './watch-instances.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();

/** Watches until the test is over; `stop` ends it earlier and waits for that. */
function watch(provisioner: Provisioner, provider: ComputeProvider): { stop: () => Promise<void> } {
  const stopped = new AbortController();
  const watching = watchInstances(provisioner, { name: 'local', provider }, stopped.signal);
  const stop = async () => {
    stopped.abort(new Error('the test is over'));
    await watching;
  };
  onTestFinished(stop);
  return { stop };
}

/** A scale set with one recorded runner that nobody has a job for. */
async function withRunner(name: string, part: Partial<Runner> = {}) {
  const spec = await bench.declare(name);
  const { scaleSetId } = spec;
  const runner = aRunner({ scaleSetId, runnerId: name, state: 'busy', ...part });
  await bench.stores.runners.put(runnerKey(scaleSetId, name), runner);
  return { spec, runner };
}

describe('watchInstances', () => {
  test.each([
    { code: 0, state: 'completed', mark: undefined },
    { code: 7, state: 'marked', mark: { reason: 'exited', gate: 'none' } },
  ])('writes down that a process exited with $code', async ({ code, state, mark }) => {
    const { spec, runner } = await withRunner(`exit${code}`, {
      job: { jobId: 'j', startedAt: at },
    });
    const alive = [{ runnerId: runner.runnerId, recorded: true, namedAt: at }];
    const { scaleSetId, runnerId, generation, name: runnerName } = runner;
    await bench.stores.plans.put(scaleSetId, {
      v: 1,
      scaleSetId,
      runners: alive,
      free: 0,
      freeAt: at,
    });
    const command: [string, ...string[]] = ['/bin/sh', '-c', `exit ${code}`];
    const provider = await bench.processes(`exit${code}`, { command });
    const who = { runnerId, runnerName, scaleSetId, installationId, generation };
    await provider.create({ ...who, jitConfig: new Secret('none'), settings: {} }, signal);
    await eventually(async () => {
      expect(await provider.list(signal)).toMatchObject([{ state: 'exited' }]);
    });

    watch(await bench.provisioner(provider), provider);

    await eventually(async () => {
      const record = await bench.runner(spec, runnerId);
      expect(record).toMatchObject({ state, exit: { code } });
      expect(record?.mark).toEqual(mark && (expect.objectContaining(mark) as unknown));
    });
  });

  test('takes an end that nobody saw for a failure', async () => {
    const { spec, runner } = await withRunner('unseen');
    const provider = new ListedProvider([anExit(runner)]);

    watch(await bench.provisioner(provider), provider);

    await eventually(async () => {
      expect(await bench.runner(spec, runner.runnerId)).toMatchObject({
        failure: { class: 'exited', text: 'the runner ended with an unknown code' },
      });
    });
  });

  test('writes an end down once, however many look', async () => {
    const { spec, runner } = await withRunner('once', { state: 'idle' });
    const provider = new ListedProvider([anExit(runner, 0)]);
    const watchers = [await bench.provisioner(provider), await bench.provisioner(provider)];
    const first = watchers[0] && watch(watchers[0], provider);
    await eventually(async () => {
      expect((await bench.runner(spec, runner.runnerId))?.exit).toBeDefined();
    });
    await first?.stop();
    const record = await bench.runner(spec, runner.runnerId);
    await bench.clock.advance(10);

    const seen = provider.asked;
    if (watchers[1]) watch(watchers[1], provider);
    await eventually(() => expect(provider.asked).toBeGreaterThan(seen));

    expect((await bench.runner(spec, runner.runnerId))?.exit).toEqual(record?.exit);
  });

  test('goes on after the provider failed, and past instances without a record', async () => {
    const { spec, runner } = await withRunner('after-failure', { state: 'idle' });
    const stranger = aRunner({ scaleSetId: spec.scaleSetId, runnerId: 'stranger' });
    const provider = new ListedProvider([anExit(stranger, 0), anExit(runner, 0)]);
    provider.problem = 'the host is gone';
    watch(await bench.provisioner(provider), provider);
    await eventually(() => expect(provider.asked).toBeGreaterThan(0));

    provider.problem = undefined;

    await eventually(async () => {
      await bench.clock.advance(500);
      expect((await bench.runner(spec, runner.runnerId))?.exit).toMatchObject({ code: 0 });
    });
    expect(await bench.runner(spec, 'stranger')).toBeUndefined();
  });

  test('looks again when a provider does not answer for 10 s', async () => {
    const { spec, runner } = await withRunner('silent', { state: 'idle' });
    const provider = new ListedProvider([anExit(runner, 0)]);
    provider.hangs = true;
    watch(await bench.provisioner(provider), provider);
    await eventually(() => expect(provider.asked).toBe(1));

    provider.hangs = false;
    await bench.clock.advance(10_000);

    await eventually(async () => {
      await bench.clock.advance(500);
      expect((await bench.runner(spec, runner.runnerId))?.exit).toMatchObject({ code: 0 });
    });
  });
});
