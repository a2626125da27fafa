import { commandSubject, type Runner, runnerKey, type Spec } from '@baton/shared/contracts';
import { observeRunner } from '@baton/shared/runners';
import { aPlan, eventually, installationId } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CreateQueue } from './create-queue.ts';
import { periodicPass } from './periodic-pass.ts';
import { consumeCreates } from './serve-creates.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { PlayingProvider } from './testing/playing-provider.ts';
import { serve } from './testing/serve.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();

/** How far a provisioner came before it was killed. */
const steps = ['plan', 'record', 'command', 'claim', 'mint', 'create'] as const;
type Step = (typeof steps)[number];

interface Scene {
  spec: Spec;
  provider: PlayingProvider;
  dead: Provisioner;
}

/** What a provisioner leaves that is killed right after the step. */
async function diedAfter(step: Step, { spec, provider, dead }: Scene): Promise<void> {
  const { scaleSetId, generation } = spec;
  await bench.demand(spec, { assigned: 1 });
  const reached = (other: Step) => steps.indexOf(step) >= steps.indexOf(other);
  if (step === 'plan' || step === 'record') return await playPlanner(step, spec);
  const record = await bench.requested(spec, dead);
  if (reached('claim')) {
    await observeRunner(dead, record, { kind: 'creating', creator: dead.holder });
  }
  const jitConfig = reached('mint') ? await bench.jitConfig(spec, record.name) : undefined;
  if (!reached('create') || !jitConfig) return;
  const { runnerId, name: runnerName } = record;
  const request = { runnerId, runnerName, scaleSetId, generation, installationId, jitConfig };
  await provider.create({ ...request, settings: {} }, signal);
}

async function playPlanner(step: 'plan' | 'record', { scaleSetId, generation }: Spec) {
  const runnerId = `died2${step}`;
  const at = new Date(bench.clock.now()).toISOString();
  const plan = aPlan({ scaleSetId, runners: [{ runnerId, recorded: false, namedAt: at }] });
  await bench.stores.plans.put(scaleSetId, plan);
  if (step === 'plan') return;
  const name = `linux-${installationId}-${runnerId}`;
  const state = 'requested' as const;
  const who = { v: 1 as const, installationId, scaleSetId, runnerId, name, provider: 'local' };
  const record: Runner = { ...who, generation, state, createdAt: at, stateAt: at };
  await bench.stores.runners.put(runnerKey(scaleSetId, runnerId), record);
}

/** A provisioner takes the commands of a scale set, and begins with none of them. */
async function takeCommands(spec: Spec, provisioner: Provisioner): Promise<void> {
  const [stop, nobody] = [new AbortController(), new AbortController()];
  const queue = new CreateQueue({
    create: () => Promise.resolve('nothing'),
    findWaiting: () => Promise.resolve([]),
    handsOf: () => ({ total: 1, perScaleSet: 1 }),
    clock: bench.clock,
    log: provisioner.log,
    signal: nobody.signal,
  });
  const signals = { signal: stop.signal, abort: nobody.signal };
  const taking = consumeCreates(provisioner.nats, queue, provisioner, signals);
  await eventually(async () => expect(await bench.commands('create', spec)).toEqual([]));
  stop.abort();
  await taking;
}

/** A provisioner does all that it does by itself, while time passes. */
function live(provisioner: Provisioner): void {
  serve(provisioner);
  let passing = false;
  const timer = setInterval(() => {
    void bench.clock.advance(700);
    if (passing) return;
    passing = true;
    void periodicPass(provisioner)
      .catch(() => undefined)
      .finally(() => {
        passing = false;
      });
  }, 40);
  onTestFinished(() => clearInterval(timer));
}

describe('a provisioner that is killed', () => {
  test.each(steps)(
    'after its %s leaves one runner, made by the next, and nothing else',
    async (step) => {
      const provider = new PlayingProvider();
      const spec = await bench.register(`killed-${step}`);
      const dead = await bench.provisioner(provider, { alive: false });
      const heir = await bench.provisioner(provider);
      await diedAfter(step, { spec, provider, dead });
      if (step !== 'plan' && step !== 'record') await takeCommands(spec, dead);

      live(heir);

      await eventually(
        async () => {
          const plan = await bench.planOf(spec);
          const [place] = plan.runners;
          expect(plan.runners).toHaveLength(1);
          const runner = await bench.runner(spec, place?.runnerId ?? '');
          expect(runner).toMatchObject({ state: 'starting', instanceId: `i-${place?.runnerId}` });
          const others = (await bench.runnersOf(spec)).filter((one) => one.name !== runner?.name);
          expect(others.map(({ state, mark }) => [state, mark?.gate])).toEqual(
            step === 'claim' || step === 'mint' ? [['marked', 'github']] : [],
          );
        },
        { timeoutMs: 15_000 },
      );
      expect(provider.askedFor(spec)).toHaveLength(1);
    },
  );

  test('is noticed by the first pass of another', async () => {
    const provider = new PlayingProvider();
    const spec = await bench.register('noticed');
    const dead = await bench.provisioner(provider, { alive: false });
    const heir = await bench.provisioner(provider);
    await bench.clock.advance(6_000);
    await diedAfter('claim', { spec, provider, dead });
    const before = await bench.commands('create', spec);

    const passing = periodicPass(heir);

    // A second command for the same runner, under an id that is not a duplicate of the first.
    expect(before).toHaveLength(1);
    await eventually(async () => {
      await bench.clock.advance(200);
      expect(await bench.commands('create', spec)).toEqual([...before, ...before]);
    });
    await passing;
  });
});

describe('a demand for five', () => {
  test('delivered twice, to two provisioners at once, out of order and from an old epoch, makes five', async () => {
    const provider = new PlayingProvider();
    const spec = await bench.register('five');
    const [one, other] = [await bench.provisioner(provider), await bench.provisioner(provider)];
    serve(one);
    serve(other);
    const { scaleSetId } = spec;

    await bench.demand(spec, { epoch: 7, seq: 3, assigned: 5 });
    await Promise.all([one, other, one, other].map(({ planner }) => planner.reconcile(scaleSetId)));
    await bench.demand(spec, { epoch: 7, seq: 2, assigned: 9 });
    await Promise.all([one, other].map(({ planner }) => planner.reconcile(scaleSetId)));
    await bench.demand(spec, { epoch: 6, seq: 80, assigned: 20 });
    const commands = (await bench.runnersOf(spec)).flatMap((runner) => [runner, runner]);
    await Promise.all([
      one.planner.reconcile(scaleSetId),
      other.planner.reconcile(scaleSetId),
      ...commands.map(({ runnerId }, n) =>
        one.publisher.publish(
          commandSubject('create', scaleSetId),
          { v: 1, scaleSetId, runnerId, provider: 'local' },
          { messageId: `again-${runnerId}-${n}` },
        ),
      ),
    ]);

    await eventually(async () => {
      const states = (await bench.runnersOf(spec)).map(({ state }) => state);
      expect(states).toEqual(Array.from({ length: 5 }, () => 'starting'));
      expect(await bench.commands('create', spec)).toEqual([]);
    });
    expect(provider.askedFor(spec)).toHaveLength(5);
    const { runners } = await bench.sim.control.state();
    expect(runners.filter(({ scaleSet }) => scaleSet === 'five')).toHaveLength(5);
  });
});
