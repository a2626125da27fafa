import { captureLog, eventually, type OtlpReceiver, startOtlpReceiver } from '@baton/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig, telemetryVariables } from '../config/index.ts';
import { Health } from '../lifecycle/health.ts';
import { serveHealth } from '../lifecycle/health-server.ts';
import { systemClock } from '../time/index.ts';
import { metricPush } from './metric-push.ts';
import { Counter, gauge, Histogram, type Measurement, Metrics } from './metrics.ts';

interface Setting {
  env?: Record<string, string>;
  intervalMs?: number;
}

/** A collector, and a process that pushes its metrics there. */
async function setUp({ env = {}, intervalMs = 100 }: Setting = {}) {
  const receiver = await startOtlpReceiver();
  const metrics = new Metrics();
  const { log, messages } = captureLog();
  const config = loadConfig(telemetryVariables, {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_METRIC_EXPORT_INTERVAL: String(intervalMs),
    ...env,
  });
  const identity = { instance: 'test-0', installationId: 'try' };
  const options = { service: 'test', config: { ...config, ...identity }, log };
  const push = metricPush({ ...options, metrics, clock: systemClock });
  if (!push) throw new Error('nothing is pushed');
  onTestFinished(async () => {
    await push.end(1_000);
    await receiver[Symbol.asyncDispose]();
  });
  return { receiver, metrics, push, messages };
}

/** The last that was received of a metric. */
async function last(receiver: OtlpReceiver, name: string) {
  return await eventually(
    () => {
      const metric = receiver.metrics.findLast((one) => one.name === name);
      if (!metric) throw new Error(`${name} was not received`);
      return metric;
    },
    { timeoutMs: 10_000 },
  );
}

/** What was counted of pushes, by what became of them. */
function pushes(metrics: Metrics): Record<string, number> {
  const source = metrics.sources.find(({ name }) => name === 'baton_metric_exports_total');
  if (source?.kind !== 'counter') return {};
  const counts = [...source.read()].map(({ labels, value }) => [labels.outcome, value] as const);
  return Object.fromEntries(counts) as Record<string, number>;
}

function counted(by: number): Counter<'reason'> {
  const counter = new Counter<'reason'>({ name: 'baton_things_total', help: 'Things.' });
  counter.add({ reason: 'gone' }, by);
  return counter;
}

describe('metrics are pushed', () => {
  test.each(['http/protobuf', 'http/json'])(
    'as %s, of every kind, with units',
    async (protocol) => {
      const { receiver, metrics, push } = await setUp({
        env: { OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' },
      });
      const took = new Histogram<'step'>({
        name: 'baton_took_seconds',
        help: 'Took.',
        bounds: [1, 5],
      });
      for (const ms of [250, 4_000, 90_000]) took.recordMs({ step: 'a' }, ms);
      const memory = gauge('baton_memory_bytes', 'Memory.', () => [{ value: 12.5, labels: {} }]);
      const none = gauge('baton_nothing', 'Nothing.', () => []);
      metrics.add(counted(3), took, memory, none);

      push.ready();

      expect(await last(receiver, 'baton_things_total')).toMatchObject({
        kind: 'sum',
        description: 'Things.',
        unit: '{count}',
        points: [{ attributes: { reason: 'gone' }, value: 3 }],
        resource: {
          'service.name': 'baton-test',
          'service.instance.id': 'test-0',
          'baton.installation.id': 'try',
        },
        scope: 'baton',
      });
      expect(await last(receiver, 'baton_took_seconds')).toMatchObject({
        kind: 'histogram',
        unit: 's',
        points: [{ attributes: { step: 'a' }, value: 94.25, buckets: [1, 1, 1], bounds: [1, 5] }],
      });
      expect(await last(receiver, 'baton_memory_bytes')).toMatchObject({
        kind: 'gauge',
        unit: 'By',
        points: [{ value: 12.5 }],
      });
      expect(receiver.metrics.map(({ name }) => name)).not.toContain('baton_nothing');
      expect(receiver.violations).toEqual([]);
    },
  );

  test('as they are then: nothing that is gone, nothing twice, whoever else reads', async () => {
    const { receiver, metrics, push } = await setUp();
    let values: Measurement[] = [{ value: 1, labels: { scale_set: 'linux' } }];
    const counter = counted(1);
    metrics.add(
      counter,
      gauge('baton_state', 'State.', () => values),
    );
    await using server = await serveHealth(new Health(), { host: '127.0.0.1', port: 0, metrics });
    const scrape = async () =>
      await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
    push.ready();
    await last(receiver, 'baton_state');

    values = [{ value: 1, labels: { scale_set: 'windows' } }];
    const scraped = await Promise.all(Array.from({ length: 20 }, scrape));
    counter.add({ reason: 'gone' });

    for (const text of scraped) expect(text).toContain('baton_things_total{reason="gone"} 1\n');
    await eventually(async () => {
      const { points } = await last(receiver, 'baton_things_total');
      expect(points).toMatchObject([{ value: 2 }]);
    });
    const { points } = await last(receiver, 'baton_state');
    expect(points).toMatchObject([{ attributes: { scale_set: 'windows' } }]);
    expect(await scrape()).toContain('baton_things_total{reason="gone"} 2\n');
    expect(receiver.violations).toEqual([]);
  });

  test('once more at the end, also where the first time has not come', async () => {
    const { receiver, metrics, push } = await setUp({ intervalMs: 60_000 });
    metrics.add(counted(7));
    push.ready();

    await push.end(5_000);

    expect(receiver.metrics.find(({ name }) => name === 'baton_things_total')).toMatchObject({
      points: [{ value: 7 }],
    });
  });

  test('never by a process that has not begun its work', async () => {
    const { receiver, push } = await setUp();

    await push.end(5_000);

    expect(receiver.asked).toEqual([]);
  });
});

describe('a collector', () => {
  test('that refuses is told of once, and that it takes them again', async () => {
    const { receiver, metrics, push, messages } = await setUp();
    metrics.add(counted(1));
    receiver.behave(400);
    push.ready();
    await eventually(() => expect(pushes(metrics).failed).toBeGreaterThan(2), {
      timeoutMs: 10_000,
    });

    receiver.behave('take');
    await eventually(() => expect(pushes(metrics).exported).toBeGreaterThan(0));

    expect(messages).toEqual(['metrics cannot be pushed', 'metrics are pushed again']);
    expect(await last(receiver, 'baton_metric_exports_total')).toMatchObject({ kind: 'sum' });
  });

  test('that never answers holds up neither a scrape nor the end', async () => {
    const { receiver, metrics, push } = await setUp();
    metrics.add(counted(1));
    receiver.behave('hang');
    push.ready();
    await eventually(() => expect(receiver.asked.length).toBeGreaterThan(0), { timeoutMs: 10_000 });
    await using server = await serveHealth(new Health(), { host: '127.0.0.1', port: 0, metrics });
    const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();

    const began = performance.now();
    await push.end(300);

    expect(text).toContain('baton_things_total{reason="gone"} 1\n');
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
