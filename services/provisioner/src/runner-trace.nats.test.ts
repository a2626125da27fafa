import { type JobEvent, type Runner, streams } from '@baton/shared/contracts';
import { observeRunner } from '@baton/shared/runners';
import { inSpan, parseTraceparent } from '@baton/shared/telemetry';
import { isoNow } from '@baton/shared/time';
import { eventually, recordSpans, type SpanRecord, storedMessages } from '@baton/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRunner } from './create-runner.ts';
import { handleEvent } from './handle-event.ts';
import { periodicPass } from './periodic-pass.ts';
import { Planner } from './planner.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { jobEvent } from './testing/job-events.ts';
import { PlayingProvider } from './testing/playing-provider.ts';
import { serve } from './testing/serve.ts';
import { poll, tracedRequest } from './testing/traced-requests.ts';

let bench: Bench;
let spans: SpanRecord;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});
beforeEach(() => {
  spans = recordSpans();
});
afterEach(() => {
  spans[Symbol.dispose]();
});

const names = (told: readonly { name: string }[]) => told.map(({ name }) => name).toSorted();
const { signal } = new AbortController();

const traceOf = (text: string | undefined) => parseTraceparent(text)?.traceId;

async function command(provisioner: Provisioner, { scaleSetId, runnerId }: Runner) {
  return await createRunner(provisioner, { v: 1, scaleSetId, runnerId }, signal);
}

describe('the trace of a runner that a demand asks for', () => {
  test('begins below the poll, and goes on in its record, its command and its events', async () => {
    const { from, record, provisioner } = await tracedRequest(bench, 'below-the-poll');

    const { traceparent } = record;
    expect(record.tracedFrom).toBe(from);
    expect(traceOf(traceparent)).toBe(traceOf(from));
    expect(traceparent).not.toBe(from);
    expect(spans.the('plan')).toMatchObject({
      parent: from,
      attributes: { 'baton.plan.wanted': 1, 'baton.plan.alive': 1, 'baton.plan.requested': 1 },
    });
    await command(provisioner, record);
    const stored = [
      ...(await storedMessages(bench.cli, streams.commands)),
      ...(await storedMessages(bench.cli, streams.events)),
    ].filter(({ data }) => (data as { runnerId?: string }).runnerId === record.runnerId);
    expect(
      stored.map(({ subject, ...message }) => [subject.split('.')[3], message.traceparent]),
    ).toEqual([
      ['create', traceparent],
      ['provisioner', traceparent],
      ['provisioner', traceparent],
    ]);
  });

  test('is its own where one demand asks for more than ten, with a link to the poll', async () => {
    const spec = await bench.declare('eleven', { maxRunners: 50 });
    const provisioner = await bench.provisioner(new PlayingProvider());

    const from = await poll(bench, spec, { ...provisioner, assigned: 11 });

    const runners = await bench.runnersOf(spec);
    const traces = new Set(runners.map(({ traceparent }) => traceOf(traceparent)));
    expect(traces.size).toBe(11);
    expect(traces).not.toContain(traceOf(from));
    expect(runners.every(({ tracedFrom }) => tracedFrom === from)).toBe(true);
  });

  test('is its own, and starts there, where no demand asked for it', async () => {
    const spec = await bench.declare('warm', { minRunners: 1 });
    const { planner } = await bench.provisioner(new PlayingProvider());

    await planner.reconcile(spec.scaleSetId);
    await planner.reconcile(spec.scaleSetId);

    const [runner] = await bench.runnersOf(spec);
    expect(traceOf(runner?.traceparent)).toBeDefined();
    expect(runner).not.toHaveProperty('tracedFrom');
    // The second pass changed nothing, and nobody asked for it.
    expect(spans.the('plan')).toMatchObject({ parent: undefined });
  });

  test('is what the plan says when its planner ended before it had written the record', async () => {
    const spec = await bench.declare('planner-dies');
    const provisioner = await bench.provisioner(new PlayingProvider());
    const heir = await bench.provisioner(new PlayingProvider());
    const createFirst = () => Promise.reject(new Error('killed'));
    const runners = Object.assign(Object.create(provisioner.runners) as typeof heir.runners, {
      createFirst,
    });
    const dying = { ...provisioner, planner: new Planner({ ...provisioner, runners }) };
    await expect(poll(bench, spec, { ...dying, assigned: 1 })).rejects.toThrow('killed');
    const { demand } = (await bench.stores.sessions.get(spec.scaleSetId))?.value ?? {};

    await heir.planner.reconcile(spec.scaleSetId);
    await heir.planner.reconcile(spec.scaleSetId);

    const [runner] = await bench.runnersOf(spec);
    expect(runner?.tracedFrom).toBe(demand?.traceparent);
    expect(traceOf(runner?.traceparent)).toBe(traceOf(demand?.traceparent));
    expect(await bench.planOf(spec)).not.toHaveProperty('cause');
    expect(spans.named('plan').map(({ error }) => error !== undefined)).toEqual([true, false]);
  });

  test('is the poll itself where this process makes no spans, and none without a poll', async () => {
    spans[Symbol.dispose]();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const [traced, untraced] = [await bench.declare('no-maker'), await bench.declare('no-poll')];
    const provisioner = await bench.provisioner(new PlayingProvider());
    await bench.demand(traced, { assigned: 1, traceparent });

    await provisioner.planner.reconcile(traced.scaleSetId);
    const untracedRunner = await bench.requested(untraced, provisioner);
    await command(provisioner, untracedRunner);

    expect(await bench.runnersOf(traced)).toMatchObject([{ traceparent, tracedFrom: traceparent }]);
    const record = await bench.runner(untraced, untracedRunner.runnerId);
    for (const key of ['traceparent', 'tracedFrom']) expect(record).not.toHaveProperty(key);
    expect(record?.creator).not.toHaveProperty('span');
  });
});

describe('the phases of a life', () => {
  test('are told once each, whoever hears of them and how often, with the times of the record', async () => {
    const { record, provider, provisioner } = await tracedRequest(bench, 'phases');
    const other = await bench.provisioner(provider);
    const both = [provisioner, other];
    const at = () => bench.clock.now();
    await command(provisioner, record);
    const createdAt = at();
    await bench.clock.advance(3_000);
    const online = { kind: 'online', githubRunnerId: 7 } as const;
    await Promise.all(both.map((one) => observeRunner(one, record, online)));
    const onlineAt = at();
    await bench.clock.advance(5_000);
    const [started, startedAt] = [jobEvent(record, 'started', isoNow(bench.clock)), at()];
    await bench.clock.advance(20_000);
    const [completed, completedAt] = [jobEvent(record, 'completed', isoNow(bench.clock)), at()];
    await bench.clock.advance(2_000);

    const consume = async (event: JobEvent, one: Provisioner) =>
      await inSpan('process', { parent: null }, () => handleEvent(one, event));
    for (const event of [started, completed, started, completed])
      await Promise.all(both.map((one) => consume(event, one)));

    const phase = (name: string) => spans.the(name);
    expect(phase('boot')).toMatchObject({ startedAt: createdAt, endedAt: onlineAt });
    expect(phase('idle')).toMatchObject({ startedAt: onlineAt, endedAt: startedAt });
    expect(phase('job')).toMatchObject({ startedAt, endedAt: completedAt });
    for (const name of ['boot', 'idle', 'job']) expect(phase(name).parent).toBe(record.traceparent);
    expect(phase('job').attributes).toMatchObject({
      'cicd.pipeline.task.run.id': 'job-1',
      'cicd.pipeline.task.name': 'build',
      'cicd.pipeline.task.run.result': 'succeeded',
      'cicd.pipeline.run.id': '99',
      'vcs.repository.name': 'acme/app',
    });
    const processes = spans.named('process').map(({ traceparent }) => traceparent);
    expect(processes).toContain(phase('job').links[0]);
  });

  test('go on in another provisioner, below the same span', async () => {
    const { spec, record, provisioner } = await tracedRequest(bench, 'continued');
    serve(provisioner);
    const heir = await bench.provisioner(new PlayingProvider());
    await eventually(async () => {
      expect(await bench.runner(spec, record.runnerId)).toMatchObject({ state: 'starting' });
    });

    await bench.clock.advance(1_000);
    await handleEvent(heir, jobEvent(record, 'started', isoNow(bench.clock)));
    await periodicPass(heir);

    const ours = spans.told.filter(({ parent }) => parent === record.traceparent);
    expect(new Set(names(ours))).toEqual(new Set(['boot', 'create runner', 'process create']));
  });
});
