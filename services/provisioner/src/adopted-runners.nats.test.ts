import { type Runner, runnerKey, type Spec } from '@baton/shared/contracts';
import { aRunner, eventually } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { handleEvent } from './handle-event.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { EmptyProvider } from './testing/empty-provider.ts';
import { anExit, anInstance, ListedProvider } from './testing/listed-provider.ts';
import { watchInstances } from './watch-instances.ts';
import { RegistrationWatch } from './watch-registrations.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();
const longAgo = '2025-12-31T00:00:00.000Z';

function now(): string {
  return new Date(bench.clock.now()).toISOString();
}

/** A record as a janitor makes it anew, of an instance that has run for long. */
async function adopted(spec: Spec, runnerId: string, state: Runner['state']): Promise<Runner> {
  const { scaleSetId, declaration } = spec;
  const online = state === 'starting' ? {} : { onlineAt: now(), githubRunnerId: 7 };
  const runner = aRunner({
    scaleSetId,
    runnerId,
    state,
    name: `${declaration.name}-test-${runnerId}`,
    createdAt: longAgo,
    stateAt: now(),
    instanceId: runnerId,
    adopted: { at: now(), by: 'janitor j-1' },
    ...online,
  });
  await bench.stores.runners.put(runnerKey(scaleSetId, runnerId), runner);
  return runner;
}

async function placesOf(spec: Spec): Promise<string[]> {
  return (await bench.planOf(spec)).runners.map(({ runnerId }) => runnerId).toSorted();
}

/** Watches a provider until the test is over. */
function watch(provisioner: Provisioner, provider: ListedProvider): void {
  const stopped = new AbortController();
  const watching = watchInstances(provisioner, { name: 'local', provider }, stopped.signal);
  onTestFinished(async () => {
    stopped.abort(new Error('the test is over'));
    await watching;
  });
}

const jobOf = ({ scaleSetId, name: runnerName }: Runner) => ({
  ...{ v: 1 as const, scaleSetId, at: now(), position: { epoch: 1, seq: 1 }, jobId: 'j' },
  ...{ runnerRequestId: '1', workflowRunId: '1', runnerName },
});

describe('runners that were adopted', () => {
  test('have places, and serve the demand: nobody is made beside them', async () => {
    const spec = await bench.declare('adopted-places');
    const { planner } = await bench.provisioner(new EmptyProvider());
    await bench.demand(spec, { assigned: 3 });
    await adopted(spec, 'busy', 'busy');
    await adopted(spec, 'idle', 'idle');
    await adopted(spec, 'starting', 'starting');

    await planner.reconcile(spec.scaleSetId);
    await planner.reconcile(spec.scaleSetId);

    expect(await placesOf(spec)).toEqual(['busy', 'idle', 'starting']);
    expect(await bench.runnersOf(spec)).toHaveLength(3);
    expect(await bench.commands('create', spec)).toEqual([]);
  });

  test('are retired when they are too many, the busy ones not', async () => {
    const spec = await bench.declare('adopted-surplus');
    const { planner } = await bench.provisioner(new EmptyProvider());
    await bench.demand(spec, { assigned: 1 });
    for (const id of ['idle1', 'idle2']) await adopted(spec, id, 'idle');
    await adopted(spec, 'busy', 'busy');

    await planner.reconcile(spec.scaleSetId);
    await bench.clock.advance(15_000);
    await planner.reconcile(spec.scaleSetId);
    await planner.reconcile(spec.scaleSetId);

    const marks = (await bench.runnersOf(spec)).map(({ runnerId, mark }) => [
      runnerId,
      mark?.reason,
      mark?.gate,
    ]);
    expect(marks.toSorted()).toEqual([
      ['busy', undefined, undefined],
      ['idle1', 'surplus', 'github'],
      ['idle2', 'surplus', 'github'],
    ]);
    expect(await placesOf(spec)).toEqual(['busy']);
  });

  test('are told of their jobs by name', async () => {
    const spec = await bench.declare('adopted-job');
    const provisioner = await bench.provisioner(new EmptyProvider());
    const runner = await adopted(spec, 'idle', 'idle');

    await handleEvent(provisioner, { ...jobOf(runner), type: 'job.started' });
    const started = await bench.runner(spec, 'idle');
    await handleEvent(provisioner, { ...jobOf(runner), type: 'job.completed', result: 'ok' });

    expect(started).toMatchObject({ state: 'busy', job: { jobId: 'j' } });
    expect(await bench.runner(spec, 'idle')).toMatchObject({ state: 'completed' });
  });

  test('that are busy end by a message, and go when their grace is over', async () => {
    const spec = await bench.declare('adopted-message');
    const provisioner = await bench.provisioner(new EmptyProvider());
    const runner = await adopted(spec, 'busy', 'busy');
    await bench.demand(spec, { assigned: 1 });
    await provisioner.planner.reconcile(spec.scaleSetId);

    await bench.demand(spec, { seq: 1, assigned: 0 });
    await handleEvent(provisioner, { ...jobOf(runner), type: 'job.completed', result: 'ok' });
    await bench.clock.advance(30_001);
    await provisioner.planner.reconcile(spec.scaleSetId);

    expect(await bench.runner(spec, 'busy')).toMatchObject({
      mark: { reason: 'completed', gate: 'github' },
    });
    expect(await placesOf(spec)).toEqual([]);
  });

  test.each([
    { code: 0, mark: { reason: 'completed', gate: 'none' } },
    { code: 3, mark: { reason: 'exited', gate: 'none' } },
  ])(
    'that are busy end with their instance: code $code, and no creation waits for it',
    async (end) => {
      const spec = await bench.declare(`adopted-exit-${end.code}`);
      const runner = await adopted(spec, `exit${end.code}`, 'busy');
      const provider = new ListedProvider([anExit(runner, end.code)]);
      const provisioner = await bench.provisioner(provider);
      await bench.demand(spec, { assigned: 1 });
      await provisioner.planner.reconcile(spec.scaleSetId);

      watch(provisioner, provider);
      await eventually(async () => {
        expect(await bench.runner(spec, runner.runnerId)).toMatchObject({
          exit: { code: end.code },
        });
      });
      await bench.demand(spec, { seq: 1, assigned: 0, observedAt: after(60_000) });
      await provisioner.planner.reconcile(spec.scaleSetId);

      expect(await bench.runner(spec, runner.runnerId)).toMatchObject({ mark: end.mark });
      expect((await bench.planOf(spec)).backoff).toBeUndefined();
    },
  );

  test('that are busy are lost with their instance', async () => {
    const spec = await bench.declare('adopted-lost');
    const runner = await adopted(spec, 'lost', 'busy');
    const provider = new ListedProvider([anInstance(runner, { instanceId: 'another' })]);
    const provisioner = await bench.provisioner(provider);
    provider.instances = [];

    watch(provisioner, provider);

    await eventually(async () => {
      await bench.clock.advance(5_000);
      expect(await bench.runner(spec, 'lost')).toMatchObject({
        mark: { reason: 'lost', gate: 'github' },
      });
    });
  });

  test('that are starting have their whole deadline from then on, however old they are', async () => {
    const spec = await bench.register('adopted-deadline', { bootstrapTimeoutSeconds: 60 });
    const provisioner = await bench.provisioner(new EmptyProvider());
    await bench.clock.advance(600_000);
    const runner = await adopted(spec, 'slow', 'starting');
    await bench.jitConfig(spec, runner.name);
    await provisioner.planner.reconcile(spec.scaleSetId);
    const registrations = new RegistrationWatch(provisioner);

    await bench.clock.advance(60_000);
    await registrations.look(signal);
    const inTime = await bench.runner(spec, 'slow');
    await bench.clock.advance(1);
    await registrations.look(signal);

    expect(inTime).toMatchObject({ state: 'starting' });
    expect(await bench.runner(spec, 'slow')).toMatchObject({
      mark: { reason: 'registration-deadline', gate: 'github' },
    });
  });
});

function after(ms: number): string {
  return new Date(bench.clock.now() + ms).toISOString();
}
