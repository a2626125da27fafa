import { type JobEvent, type Runner, runnerKey, type Spec } from '@baton/shared/contracts';
import { observeRunner } from '@baton/shared/runners';
import { aPlan, aRunner, at, installationId } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { handleEvent } from './handle-event.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { EmptyProvider } from './testing/empty-provider.ts';

let bench: Bench;
let provisioner: Provisioner;

beforeAll(async () => {
  bench = await Bench.start();
  provisioner = await bench.provisioner(new EmptyProvider());
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const position = { epoch: 1, seq: 3 };
const job = {
  v: 1 as const,
  at,
  position,
  jobId: 'job-1',
  runnerRequestId: '7',
  workflowRunId: '9',
};

function started(spec: Spec, runnerName: string): JobEvent {
  const { scaleSetId } = spec;
  return { ...job, scaleSetId, type: 'job.started', runnerName, githubRunnerId: 41 };
}

function completed(spec: Spec, runnerName?: string): JobEvent {
  const name = runnerName === undefined ? {} : { runnerName };
  return { ...job, scaleSetId: spec.scaleSetId, type: 'job.completed', result: 'ok', ...name };
}

/** A scale set with one job and one recorded runner, which has a place. */
async function withRunner(name: string, part: Partial<Runner>) {
  const spec = await bench.declare(name);
  const { scaleSetId } = spec;
  const runnerId = name.replaceAll('-', '');
  const runner = aRunner({ scaleSetId, runnerId, name: `${name}-${installationId}-${runnerId}` });
  await bench.demand(spec, { seq: 1, assigned: 1 });
  await bench.stores.plans.put(scaleSetId, aPlan({ scaleSetId, alive: [runnerId] }));
  await bench.stores.runners.put(runnerKey(scaleSetId, runnerId), { ...runner, ...part });
  const entry = async () => {
    const found = await bench.stores.runners.get(runnerKey(scaleSetId, runnerId));
    if (!found) throw new Error('the record is gone');
    return found;
  };
  return { spec, runner, record: async () => (await entry()).value, entry };
}

describe('handleEvent', () => {
  test('plans when the demand has changed', async () => {
    const spec = await bench.declare('demand-event');
    const { scaleSetId } = spec;
    const demand = { epoch: 1, seq: 1, assigned: 2, observedAt: at };
    await bench.demand(spec, demand);

    const event = { v: 1, type: 'demand.changed', scaleSetId, at, demand } as const;
    const outcome = await handleEvent(provisioner, event);

    expect(outcome).toEqual({ kind: 'done' });
    expect(await bench.runnersOf(spec)).toHaveLength(2);
  });

  test('believes the record and not the event about the demand', async () => {
    const spec = await bench.declare('stale-demand-event');
    const { scaleSetId } = spec;
    await bench.demand(spec, { seq: 5, assigned: 0 });

    const demand = { epoch: 1, seq: 4, assigned: 3, observedAt: at };
    await handleEvent(provisioner, { v: 1, type: 'demand.changed', scaleSetId, at, demand });

    expect(await bench.runnersOf(spec)).toEqual([]);
  });

  test.each(['creating', 'starting', 'idle'] as const)(
    'takes in that a job started on a runner that is %s',
    async (state) => {
      const { spec, runner, record } = await withRunner(`started-${state}`, { state });

      await handleEvent(provisioner, started(spec, runner.name));
      const ids = { instanceId: 'i-1', githubRunnerId: 41 };
      await observeRunner(provisioner, runner, { kind: 'created', ...ids });

      expect(await record()).toMatchObject({
        state: 'busy',
        job: { jobId: 'job-1', startedAt: at },
        githubRunnerId: 41,
        instanceId: 'i-1',
      });
    },
  );

  test('takes in that a job was completed before it hears that it started', async () => {
    const { spec, runner, record } = await withRunner('completed-first', { state: 'creating' });

    await handleEvent(provisioner, completed(spec, runner.name));
    await handleEvent(provisioner, started(spec, runner.name));

    expect(await record()).toMatchObject({
      state: 'completed',
      completedIn: position,
      job: { jobId: 'job-1' },
    });
  });

  test('changes nothing the second time', async () => {
    const { spec, runner, entry } = await withRunner('twice', { state: 'idle' });
    const events = [started(spec, runner.name), completed(spec, runner.name)];
    for (const event of events) await handleEvent(provisioner, event);
    const { revision } = await entry();

    const refused = (observation: string) =>
      provisioner.observations.of({ observation, result: 'refused' });
    const before = refused('job-started') + refused('job-completed');

    for (const event of events) await handleEvent(provisioner, event);

    expect((await entry()).revision).toBe(revision);
    expect(refused('job-started') + refused('job-completed') - before).toBe(2);
  });

  test('gives the place of a completed runner away when the demand knows of it', async () => {
    const { spec, runner, record } = await withRunner('completed', {
      state: 'busy',
      exit: { code: 0, at },
    });

    await handleEvent(provisioner, completed(spec, runner.name));
    const kept = await bench.planOf(spec);
    await bench.demand(spec, { ...position, assigned: 0 });
    await handleEvent(provisioner, completed(spec, runner.name));

    expect(kept.runners).toMatchObject([{ runnerId: runner.runnerId }]);
    expect((await bench.planOf(spec)).runners).toEqual([]);
    expect(await record()).toMatchObject({
      state: 'marked',
      mark: { reason: 'completed', gate: 'none' },
    });
    expect(await bench.commands('delete', spec)).toEqual([runner.runnerId]);
  });

  test.each([
    { what: 'a runner without a record', name: `x-${installationId}-unknown` },
    { what: 'another installation', name: 'x-other-r1' },
    { what: 'somebody else', name: 'GitHub Actions 7' },
    { what: 'nobody', name: '' },
  ])('is done with a job of $what', async ({ name }) => {
    const spec = await bench.declare('not-ours');

    const outcomes = [
      await handleEvent(provisioner, started(spec, name)),
      await handleEvent(provisioner, completed(spec, name)),
      await handleEvent(provisioner, completed(spec)),
    ];

    expect(outcomes.every(({ kind }) => kind === 'done')).toBe(true);
    expect(await bench.runnersOf(spec)).toEqual([]);
  });
});
