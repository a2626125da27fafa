import { scaleSetIdOf } from '@baton/shared/contracts';
import type { LocalStack } from '@baton/stack';
import { eventually, type OtlpReceiver, startOtlpReceiver } from '@baton/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { metricNamesOf } from '../../infra/alerts/metric-names.ts';
import { alertRules } from '../../infra/alerts/read-rules.ts';
import { variables } from '../../infra/dashboards/variables.ts';
import { completedJobs, simulator, startStack } from '../e2e/stack-fixture.ts';
import { type Chart, charts, hastyRules, targetsOf } from './monitoring-fixture.ts';
import { Prometheus } from './prometheus.ts';

const patient = { timeoutMs: 45_000, everyMs: 250 };
/** Longer than a hand-over, on a machine that is busy with other tests. */
const alertsWait = '8s';
const linux = scaleSetIdOf('linux');

/** Everything is told, and what is done now and then is done often. */
const variablesFor = (collector: OtlpReceiver) => ({
  BATON_SWEEP_EVERY_MS: '1000',
  BATON_GITHUB_SWEEP_EVERY_MS: '1000',
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_TRACES_EXPORTER: 'otlp',
  OTEL_METRICS_EXPORTER: 'otlp',
  OTEL_METRIC_EXPORT_INTERVAL: '2000',
});

const cleanup = new AsyncDisposableStack();
let stack: LocalStack;
let prometheus: Prometheus;

beforeAll(async () => {
  const collector = cleanup.use(await startOtlpReceiver());
  const env = variablesFor(collector);
  stack = cleanup.use(await startStack({ listener: 2, provisioner: 1, janitor: 1 }, [], env));
  const targets = await targetsOf(stack);
  prometheus = cleanup.use(await Prometheus.start(await hastyRules(alertsWait), targets));
  await stack.applyScaleSets([{ name: 'linux', maxRunners: 10, minRunners: 1 }]);
});
afterAll(async () => {
  await cleanup.disposeAsync();
});

test('every process is scraped', async () => {
  await eventually(async () => {
    const targets = await prometheus.targets();
    expect(targets.map(({ job }) => job).toSorted()).toEqual([
      'baton-janitor',
      'baton-listener',
      'baton-listener',
      'baton-provisioner',
    ]);
    expect(targets.filter(({ health }) => health !== 'up')).toEqual([]);
  }, patient);
});

const ownOfPrometheus = new Set(['up', 'ALERTS']);
const expressions = [...alertRules, ...charts].map(({ expr }) => expr);
const named = new Set(expressions.flatMap(metricNamesOf));

test('every metric that rules and charts name is told by a service that runs', async () => {
  const wanted = [...named].filter((name) => !ownOfPrometheus.has(name));
  expect(wanted.length).toBeGreaterThan(40);

  await eventually(async () => {
    const declared = await prometheus.declared();
    const wrong = wanted.filter((name) => {
      const [, base = name] = /^(.+)_(?:bucket|count|sum)$/.exec(name) ?? [];
      return declared.get(base) !== expectedType(name, base);
    });
    expect(wrong).toEqual([]);
  }, patient);
});

/** By its name, as Prometheus wants them. */
function expectedType(name: string, base: string): 'counter' | 'gauge' | 'histogram' {
  if (name !== base) return 'histogram';
  return name.endsWith('_total') ? 'counter' : 'gauge';
}

/** Four more jobs, all done in the end. */
async function doJobs(done: number): Promise<void> {
  await simulator(stack).addJobs({ scaleSet: 'linux', count: 4 });
  await eventually(async () => expect(await completedJobs(stack)).toHaveLength(done), patient);
}

test('jobs are done, so that there is something to see', async () => {
  // In waves: a rate needs a count that grows while it is looked at.
  for (const done of [4, 8, 12]) await doJobs(done);
}, 150_000);

/** The charts that match, and have no data. */
async function emptyCharts(which: (chart: Chart) => boolean): Promise<string[]> {
  const drawn = await Promise.all(
    charts
      .filter(which)
      .map(async (chart) => ({ ...chart, series: await prometheus.chart(chart.expr) })),
  );
  const empty = drawn.filter(
    ({ series }) => !series.some((one) => one.values.some(Number.isFinite)),
  );
  return empty.map(({ chart }) => chart);
}

test('every chart has data, but those of what goes wrong', async () => {
  await eventually(
    async () => expect(await emptyCharts(({ quiet }) => !quiet)).toEqual([]),
    patient,
  );
});

test('trouble shows on its charts', async () => {
  const action = { kind: 'status', status: 503 } as const;
  for (const route of ['getMessage', 'generateJitConfig', 'removeRunner'] as const)
    await simulator(stack).addFault({ route, first: 3, action });
  await simulator(stack).evictSession('linux');
  await doJobs(16);

  const provoked = ['Polls that failed', 'Sessions replaced', 'Creates that failed'];
  await eventually(
    async () => expect(await emptyCharts(({ title }) => provoked.includes(title))).toEqual([]),
    patient,
  );
}, 120_000);

test('sessions that are replaced again and again are told by their alert', async () => {
  const session = async () =>
    (await simulator(stack).state()).scaleSets.find(({ name }) => name === 'linux')?.session;
  for (let times = 0; times < 2; times += 1) {
    const before = await eventually(async () => {
      const now = await session();
      expect(now?.held).toBe(true);
      return now?.id;
    }, patient);
    await simulator(stack).evictSession('linux');
    await eventually(async () => expect((await session())?.id).not.toBe(before), patient);
  }

  await eventually(
    async () =>
      expect(await prometheus.firing('BatonSessionsReplaced', 'scale_set')).toEqual([linux]),
    patient,
  );
}, 150_000);

test('every label that a legend names is there', async () => {
  const drawn = await Promise.all(
    charts.map(async (chart) => ({ ...chart, series: await prometheus.chart(chart.expr) })),
  );

  const wrong = drawn.filter(({ labels, series }) =>
    labels.some((label) => !mayLack.has(label) && series.some((one) => !one.labels[label])),
  );
  expect(wrong.map(({ chart }) => chart)).toEqual([]);
});

/** A sweep of a provider that is everywhere has no host. */
const mayLack = new Set(['host']);

test.each(variables)('the variable $name has choices', async ({ name, metric }) => {
  const found = await eventually(async () => {
    const all = await prometheus.query(`count by (${name}) (${metric})`);
    expect(all.length).toBeGreaterThan(0);
    return all;
  }, patient);

  expect(found.every(({ labels }) => (labels[name] ?? '') !== '')).toBe(true);
});

test('every rule can be evaluated, whatever it finds', async () => {
  const rules = await prometheus.rules();

  expect(rules.map(({ name }) => name).toSorted()).toEqual(
    alertRules.map(({ alert }) => alert).toSorted(),
  );
  expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
});

test('nothing is wrong, and nobody is paged', async () => {
  const critical = 'ALERTS{alertstate="firing",severity="critical"}';
  const fired = await prometheus.query(`max_over_time(${critical}[5m])`);

  expect(fired.map(({ labels }) => labels.alertname)).toEqual([]);
});

test('a scale set that no listener polls is told, and one that is handed over is not', async () => {
  const notPolled = async () => await prometheus.firing('BatonScaleSetNotPolled', 'scale_set');
  const absent = async () => await prometheus.firing('BatonListenerAbsent', 'job');
  const down = async () => await prometheus.firing('BatonTargetDown', 'instance');
  const everFired = async () =>
    await prometheus.query(
      'max_over_time(ALERTS{alertname=~"BatonScaleSet.+",alertstate="firing"}[5m])',
    );
  const polled = async (instance: number) =>
    await prometheus.query(
      `baton_last_poll_age_seconds{scale_set="${linux}",instance=~".+:${await stack.service(`listener-${instance}`).healthPort}"}`,
    );
  const owner = await eventually(async () => {
    const [first, second] = await Promise.all([polled(0), polled(1)]);
    expect(first.length + second.length).toBe(1);
    return first.length === 1 ? 0 : 1;
  }, patient);
  const other = 1 - owner;

  await stack.service(`listener-${owner}`).stop();
  await prometheus.scrape(await targetsOf(stack));
  await eventually(async () => expect(await polled(other)).toHaveLength(1), patient);
  expect(await everFired()).toEqual([]);

  // The last one ends, and its target stays: it is on a host of its own.
  const targets = await targetsOf(stack);
  await stack.service(`listener-${other}`).stop();
  await eventually(async () => {
    expect(await notPolled()).toEqual([linux]);
    expect(await absent()).toEqual(['baton-listener']);
    expect(await down()).toEqual(targets['baton-listener']);
  }, patient);

  stack.service(`listener-${owner}`).restart();
  await prometheus.scrape(await targetsOf(stack));
  await eventually(async () => {
    expect(await notPolled()).toEqual([]);
    expect(await absent()).toEqual([]);
    expect(await down()).toEqual([]);
  }, patient);
}, 180_000);
