import type { Runner } from '@baton/shared/contracts';
import { observeRunner, recordRunnerSpan } from '@baton/shared/runners';
import { eventually, recordSpans, type SpanRecord } from '@baton/testkit';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
} from 'vitest';
import { createRunner } from './create-runner.ts';
import { Bench, type Provisioner } from './testing/bench.ts';
import { hangs } from './testing/playing-provider.ts';
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

async function command(provisioner: Provisioner, { scaleSetId, runnerId }: Runner) {
  return await createRunner(provisioner, { v: 1, scaleSetId, runnerId }, signal);
}

describe('the span of a create', () => {
  test('hangs on the record, with what was done below it, of real processes too', async () => {
    const spec = await bench.register('of-processes');
    const provisioner = await bench.provisioner(await bench.processes('of-processes'));
    await poll(bench, spec, { ...provisioner, assigned: 1 });
    const [record] = await bench.runnersOf(spec);
    if (!record) throw new Error('no runner was requested');

    await command(provisioner, record);

    const create = spans.the('create runner');
    const made = await bench.runner(spec, record.runnerId);
    expect(create).toMatchObject({ parent: record.traceparent, error: undefined });
    expect(create.attributes).toMatchObject({
      'baton.runner.id': record.runnerId,
      'cicd.worker.name': record.name,
      'baton.scale_set.id': spec.scaleSetId,
      'baton.provider': 'local',
      'baton.instance.id': made?.instanceId,
      'baton.attempt': 1,
    });
    expect(names(spans.childrenOf(create))).toEqual([
      'create instance',
      'publish runner.created',
      'register runner',
    ]);
    expect(spans.open).toEqual([]);
  });

  test('is told once when the command comes twice, to two provisioners', async () => {
    const { record, provider, provisioner } = await tracedRequest(bench, 'told-once');
    const other = await bench.provisioner(provider);

    await Promise.all([provisioner, other, provisioner].map((one) => command(one, record)));
    await command(other, record);

    expect(spans.the('create runner').parent).toBe(record.traceparent);
    for (const part of ['register runner', 'create instance'])
      expect(spans.the(part).parent).toBe(spans.the('create runner').traceparent);
  });

  test('says when and why it was put off, and counts the attempts', async () => {
    const { spec, record, provisioner } = await tracedRequest(bench, 'put-off');
    await bench.sim.control.addFault({
      route: 'generateJitConfig',
      scaleSet: 'put-off',
      first: 1,
      action: { kind: 'status', status: 503 },
    });

    await command(provisioner, record);
    const { retryAt, creator } = (await bench.runner(spec, record.runnerId)) ?? {};
    await bench.clock.advance(10_000);
    await command(provisioner, record);

    const [first, second] = spans.named('create runner');
    expect(first).toMatchObject({
      error: undefined,
      events: [{ name: 'postponed', attributes: { class: 'unavailable', retryAt } }],
      attributes: { 'baton.attempt': 1 },
    });
    expect(spans.named('register runner')[0]?.error).toMatchObject({ kind: 'unavailable' });
    expect(second).toMatchObject({ parent: record.traceparent, events: [], error: undefined });
    expect(second?.attributes).toMatchObject({ 'baton.attempt': 2 });
    expect(creator).not.toHaveProperty('span');
  });

  test('is an error, with its class, when the runner was given up, and so is the part that failed', async () => {
    const { spec, record, provider, provisioner } = await tracedRequest(bench, 'given-up');
    provider.play(spec.scaleSetId, () => Promise.reject(new Error('no such network')));

    await command(provisioner, record);

    const create = spans.the('create runner');
    expect(create.error).toMatchObject({ message: 'no such network' });
    expect(create.attributes).toMatchObject({ 'baton.failure.class': 'unexpected' });
    expect(spans.the('create instance').error).toBe(create.error);
    // It gives its place up: that plan is of the runner's trace as well.
    expect(spans.named('plan').at(-1)).toMatchObject({ parent: record.traceparent });
  });
});

describe('a create whose creator is killed', () => {
  /** A creator that registered the runner and had its instance made, and could write nothing any more. */
  async function aKilledCreate(name: string, { made }: { made: boolean }) {
    const death = new AbortController();
    onTestFinished(() => death.abort());
    const {
      spec,
      record,
      provider,
      provisioner: dead,
    } = await tracedRequest(bench, name, { alive: false });
    const { scaleSetId, runnerId } = record;
    provider.play(scaleSetId, hangs);
    void createRunner(dead, { v: 1, scaleSetId, runnerId }, death.signal).catch(() => undefined);
    await eventually(() => expect(provider.askedFor(spec)).toHaveLength(1));
    const [request] = provider.askedFor(spec);
    provider.play(scaleSetId, () => Promise.resolve());
    if (made && request) await provider.create(request, signal);
    const heir = await bench.provisioner(provider);
    return { spec, record, heir, span: spans.open.find((one) => one.name === 'create runner') };
  }

  /** Lets the time pass between two silences of a creator. */
  async function overASilence(work: Promise<unknown>): Promise<void> {
    let over = false;
    void work.finally(() => {
      over = true;
    });
    await eventually(async () => {
      if (bench.clock.sleeping > 0) await bench.clock.advance(600);
      expect(over).toBe(true);
    });
  }

  test('is told by who adopts its instance, under its own id: nothing lacks a parent', async () => {
    const { spec, record, heir, span } = await aKilledCreate('killed-made', { made: true });
    await bench.clock.advance(6_000);

    await overASilence(command(heir, record));

    expect(await bench.runner(spec, record.runnerId)).toMatchObject({ state: 'starting' });
    const create = spans.the('create runner');
    expect(create).toMatchObject({ traceparent: span?.traceparent, parent: record.traceparent });
    expect(create.attributes).toMatchObject({ 'baton.failure.class': 'interrupted' });
    expect(names(spans.childrenOf(create))).toContain('register runner');
  });

  test('is told with the runner when nothing came of it', async () => {
    const { spec, record, heir, span } = await aKilledCreate('killed-unmade', { made: false });
    await bench.clock.advance(6_000);

    await overASilence(command(heir, record));
    const given = await bench.runner(spec, record.runnerId);
    if (!given) throw new Error('the runner is gone');
    recordRunnerSpan(given, bench.clock.now());

    expect(given).toMatchObject({ failure: { class: 'interrupted' }, mark: { gate: 'github' } });
    const create = spans.the('create runner');
    expect(create).toMatchObject({ traceparent: span?.traceparent, parent: record.traceparent });
    expect(names(spans.childrenOf(create))).toEqual(['register runner']);
    expect(spans.the('runner')).toMatchObject({
      traceparent: record.traceparent,
      parent: record.tracedFrom,
      error: { message: given.failure?.text },
    });
  });

  test('is told with the runner when that came up before anybody had noticed', async () => {
    const { spec, record, heir } = await aKilledCreate('killed-and-up', { made: true });

    await observeRunner(heir, record, { kind: 'online', githubRunnerId: 7 });
    const gone = await bench.runner(spec, record.runnerId);
    if (!gone) throw new Error('the runner is gone');
    recordRunnerSpan(gone, bench.clock.now());

    const create = spans.the('create runner');
    expect(names(spans.childrenOf(create))).toContain('register runner');
  });
});
