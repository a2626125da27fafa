import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Health } from '../../lifecycle/health.ts';
import { serveHealth } from '../../lifecycle/health-server.ts';
import { Counter, gauge, Histogram, Metrics } from '../metrics.ts';

/**
 * What a scrape of a process with so many scale sets costs; times in ms. Run it by itself:
 * `node packages/shared/src/telemetry/testing/measure-scrape.ts`.
 */
const scaleSets = 1_000;
const scrapes = 30;
/** The first of them load what they need and warm up. */
const warmUp = 5;

const ids = Array.from({ length: scaleSets }, (_, index) => `linux-${index.toString(16)}`);
const series = (kind: string, length: number) =>
  Array.from({ length }, (_, index) => `baton_${kind}${index}`);

/** As many as a listener shows of a scale set that it polls. */
function thirtyEach(): Metrics {
  const metrics = new Metrics();
  for (const name of series('gauge', 20)) {
    const values = () => ids.map((scale_set, index) => ({ value: index, labels: { scale_set } }));
    metrics.add(gauge(name, 'A value.', values));
  }
  for (const name of series('counter', 10)) {
    const counter = new Counter<'scale_set'>({ name: `${name}_total`, help: 'A count.' });
    for (const scale_set of ids) counter.add({ scale_set });
    metrics.add(counter);
  }
  return metrics;
}

function withHistogram(metrics: Metrics): Metrics {
  const histogram = new Histogram<'scale_set'>({ name: 'baton_queue_seconds', help: 'A time.' });
  for (const scale_set of ids) histogram.recordMs({ scale_set }, 1_234);
  metrics.add(histogram);
  return metrics;
}

async function measure(what: string, metrics: Metrics): Promise<string[]> {
  await using server = await serveHealth(new Health(), { host: '127.0.0.1', port: 0, metrics });
  const took: number[] = [];
  const cpu: number[] = [];
  const pauses: number[] = [];
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  let text = '';
  for (let scrape = 0; scrape < scrapes; scrape += 1) {
    const before = process.cpuUsage();
    const began = performance.now();
    loop.reset();
    text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
    took.push(performance.now() - began);
    pauses.push(loop.max / 1e6 - 1);
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1_000);
  }
  loop.disable();
  const lines = text.split('\n').filter((line) => line && !line.startsWith('#')).length;
  const size = `${(text.length / 1e6).toFixed(1)} MB`;
  const medians = [took, cpu, pauses].map(median);
  return [what, String(lines), size, ...medians, (took[0] ?? 0).toFixed(0)];
}

function median(values: readonly number[]): string {
  const sorted = values.slice(warmUp).toSorted((a, b) => a - b);
  return (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(0);
}

const rows = [
  ['per scale set', 'series', 'size', 'answer', 'CPU', 'longest pause', 'the very first'],
  await measure('30 gauges and counters', thirtyEach()),
  await measure('and a histogram', withHistogram(thirtyEach())),
];
for (const row of rows) process.stdout.write(`| ${row.join(' | ')} |\n`);
