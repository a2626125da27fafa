import type { Runner } from '@baton/shared/contracts';
import { attributes, type MetricSource, parseTraceparent } from '@baton/shared/telemetry';
import { at, recordSpans } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bench, type Janitor } from '../testing/bench.ts';

let bench: Bench;
let janitor: Janitor;

beforeAll(async () => {
  bench = await Bench.start();
  janitor = await bench.janitor();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const tracedFrom = `00-${traceId}-1111111111111111-01`;
const traceparent = `00-${traceId}-2222222222222222-01`;
const trace = { traceparent, tracedFrom };

/** A marked runner that has a trace. */
async function traced(name: string, gate: 'none' | 'github'): Promise<Runner> {
  const runner = await bench.running(await bench.register(name), gate);
  return await bench.rewrite({ ...runner, ...trace });
}

describe('the trace of a deletion', () => {
  test.each([
    ['none', ['delete instance', 'deregister runner', 'remove record']],
    ['github', ['deregister runner', 'delete instance', 'remove record']],
  ] as const)('has its steps under the runner, in the order of gate %s', async (gate, steps) => {
    const runner = await traced(`trace-${gate}`, gate);
    using spans = recordSpans();
    await bench.clock.advance(5_000);
    const goneAt = bench.clock.now();

    await bench.delete(janitor, runner);

    const deletion = spans.the('delete runner');
    expect(deletion).toMatchObject({
      parent: traceparent,
      startedAt: Date.parse(at),
      endedAt: goneAt,
      attributes: {
        [attributes.runner]: runner.runnerId,
        [attributes.provider]: 'local',
        [attributes.markReason]: 'surplus',
        [attributes.outcome]: 'deleted',
      },
    });
    expect(spans.childrenOf(deletion).map(({ name }) => name)).toEqual(steps);
    expect(spans.the('runner')).toMatchObject({
      traceparent,
      parent: tracedFrom,
      startedAt: Date.parse(runner.createdAt),
      endedAt: goneAt,
    });
    expect(spans.the('publish runner.deleted').traceId).toBe(traceId);
  });

  test('is connected when several janitors had a hand in it, and its steps failed at first', async () => {
    const runner = await traced('trace-two', 'none');
    const other = await bench.janitor();
    using spans = recordSpans();
    await bench.sim.control.outage(600_000);
    await bench.delete(janitor, runner);
    const early = spans.told.map(({ name }) => name);
    await bench.sim.control.clearFaults();
    await bench.clock.advance(60_000);

    await bench.delete(other, runner);

    expect(early).toEqual(['delete instance', 'deregister runner']);
    const deletion = spans.the('delete runner');
    expect(spans.childrenOf(deletion)).toMatchObject([
      { name: 'delete instance', error: undefined, attributes: { [attributes.attempt]: 1 } },
      { name: 'deregister runner', error: { code: 'github' } },
      { name: 'deregister runner', error: undefined, attributes: { [attributes.attempt]: 2 } },
      { name: 'remove record' },
    ]);
    expect(new Set(spans.told.map((span) => span.traceId))).toEqual(new Set([traceId]));
  });

  test('is told once when two janitors delete the same runner at once', async () => {
    const runner = await traced('trace-race', 'none');
    const other = await bench.janitor();
    using spans = recordSpans();

    await Promise.all([janitor, other].map((one) => bench.delete(one, runner)));

    expect(spans.named('delete runner')).toHaveLength(1);
    expect(spans.named('runner')).toHaveLength(1);
  });

  test('ends with the mark that is taken back, and the next mark begins another', async () => {
    const set = await bench.register('trace-kept');
    const runner = await bench.rewrite({ ...(await bench.running(set, 'github')), ...trace });
    await bench.giveJob(set);
    using spans = recordSpans();

    await bench.delete(janitor, runner);
    const kept = spans.the('delete runner');
    const mark = {
      reason: 'operator',
      gate: 'none',
      by: 'ann',
      at: '2026-01-02T00:00:00.000Z',
    } as const;
    await bench.rewrite({ ...runner, mark });
    await bench.delete(janitor, runner);

    expect(kept.attributes[attributes.outcome]).toBe('kept');
    expect(spans.childrenOf(kept).map(({ name }) => name)).toEqual(['deregister runner']);
    const { traceId: forced, parent } = spans.the('delete instance');
    expect(forced).toBe(traceId);
    expect(parent).not.toBe(kept.traceparent);
    expect(spans.named('runner')).toEqual([]);
  });

  test('of a runner that has none is in traces of its own', async () => {
    const runner = await bench.running(await bench.register('untraced'), 'none');
    using spans = recordSpans();

    await bench.delete(janitor, runner);

    expect(spans.named('runner')).toEqual([]);
    expect(spans.the('delete instance').parent).toBeUndefined();
    expect(parseTraceparent(spans.the('delete instance').traceparent)).toBeDefined();
  });
});

describe('the metrics of deletions', () => {
  test('measure from the end of the runner to the deletion of its instance', async () => {
    const own = await bench.janitor();
    const runner = await bench.running(await bench.register('measured'), 'none');
    const ended = (secondsAgo: number) =>
      new Date(bench.clock.now() - secondsAgo * 1_000).toISOString();
    const completedAt = ended(7);
    await bench.rewrite({ ...runner, exit: { code: 0, at: ended(4) }, completedAt });

    await bench.delete(own, runner);

    expect(read(own, 'baton_completed_to_deleted_seconds')).toEqual({
      local: { count: 1, sum: 7 },
    });
    expect(read(own, 'baton_delete_seconds')).toMatchObject({ 'local deleted': { count: 1 } });
    expect(read(own, 'baton_deleted_runners_total')).toEqual({ surplus: 1 });
    expect(read(own, 'baton_delete_failures_total')).toEqual({});
  });

  test('count the steps that fail, and say nothing of an end that nobody saw', async () => {
    const own = await bench.janitor();
    const runner = await bench.running(await bench.register('failing'), 'none');
    await bench.sim.control.outage(600_000);

    await bench.delete(own, runner);
    await bench.sim.control.clearFaults();

    expect(read(own, 'baton_delete_failures_total')).toEqual({ 'local deregister': 1 });
    expect(read(own, 'baton_completed_to_deleted_seconds')).toEqual({});
    expect(read(own, 'baton_deleted_runners_total')).toEqual({});
  });
});

/** The values of a metric by its labels. */
function read({ metrics }: Janitor, name: string): Record<string, unknown> {
  const source = metrics.sources.find((one) => one.name === name);
  return Object.fromEntries(source ? entriesOf(source) : []);
}

function entriesOf(source: MetricSource): [string, unknown][] {
  const key = (labels: Record<string, string>) => Object.values(labels).join(' ');
  if (source.kind !== 'histogram') {
    return [...source.read()].map(({ labels, value }) => [key(labels), value]);
  }
  return [...source.read()].map(({ labels, sum, counts }) => {
    const count = counts.reduce((total, one) => total + one, 0);
    return [key(labels), { count, sum }];
  });
}
