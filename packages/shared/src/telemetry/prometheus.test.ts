import { describe, expect, onTestFinished, test } from 'vitest';
import { Health } from '../lifecycle/health.ts';
import { serveHealth } from '../lifecycle/health-server.ts';
import {
  Counter,
  gauge,
  Histogram,
  type Measurement,
  type MetricSource,
  Metrics,
} from './metrics.ts';
import { scrapeSlices } from './prometheus.ts';

/** Serves these metrics as a process does, and scrapes them. */
async function scraper(...sources: MetricSource[]) {
  const metrics = new Metrics();
  metrics.add(...sources);
  const place = { host: '127.0.0.1', port: 0, metrics };
  const server = await serveHealth(new Health(), place);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return async () => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/metrics`);
    expect(answer.status).toBe(200);
    return { type: answer.headers.get('content-type'), lines: (await answer.text()).split('\n') };
  };
}

describe('a scrape', () => {
  test('has help, type and values, and a counter keeps its name and ends in _total', async () => {
    const counter = new Counter<'reason'>({ name: 'baton_things_total', help: 'Things.' });
    counter.add({ reason: 'gone' });
    counter.add({ reason: 'gone' }, 2);
    counter.add({ reason: 'refused' });
    const age = gauge('baton_age_seconds', 'Age.', () => [{ value: 1.5, labels: {} }]);
    const scrape = await scraper(counter, age);

    const { type, lines } = await scrape();

    expect(type).toMatch(/^text\/plain/);
    expect(lines.filter((line) => line.includes('things'))).toEqual([
      '# HELP baton_things_total Things.',
      '# TYPE baton_things_total counter',
      'baton_things_total{reason="gone"} 3',
      'baton_things_total{reason="refused"} 1',
    ]);
    expect(lines.filter((line) => line.includes('age'))).toEqual([
      '# HELP baton_age_seconds Age.',
      '# TYPE baton_age_seconds gauge',
      'baton_age_seconds 1.5',
    ]);
    // The last line ends with a line feed, as the format wants it.
    expect(lines.at(-1)).toBe('');
  });

  test('escapes backslashes, quotes and line feeds of labels, and what help may not hold', async () => {
    const labels = { name: 'a\\b"c\nd' };
    const odd = gauge('baton_odd', 'First \\ line.\nSecond.', () => [{ value: 1, labels }]);
    const scrape = await scraper(odd);

    const { lines } = await scrape();

    expect(lines).toContain('baton_odd{name="a\\\\b\\"c\\nd"} 1');
    expect(lines).toContain('# HELP baton_odd First \\\\ line.\\nSecond.');
  });

  test('shows the values of now: what is not there any more is not told, and counts do not double', async () => {
    let values: Measurement[] = [{ value: 1, labels: { scale_set: 'linux' } }];
    const counter = new Counter<'how'>({ name: 'baton_opened_total', help: 'Opened.' });
    counter.add({ how: 'created' });
    const scrape = await scraper(
      gauge('baton_state', 'State.', () => values),
      counter,
    );

    const before = await scrape();
    values = [{ value: 1, labels: { scale_set: 'windows' } }];
    const after = await scrape();

    expect(before.lines).toContain('baton_state{scale_set="linux"} 1');
    expect(after.lines).toContain('baton_state{scale_set="windows"} 1');
    expect(after.lines).not.toContain('baton_state{scale_set="linux"} 1');
    expect(after.lines).toContain('baton_opened_total{how="created"} 1');
  });

  test('tells values that are no finite number as the format does', async () => {
    const scrape = await scraper(
      gauge('baton_far', 'Far.', () => [{ value: Number.POSITIVE_INFINITY, labels: {} }]),
    );

    expect((await scrape()).lines).toContain('baton_far +Inf');
  });

  test('of two at the same time each gets its own answer', async () => {
    const scrape = await scraper(gauge('baton_one', 'One.', () => [{ value: 1, labels: {} }]));

    const answers = await Promise.all([scrape(), scrape(), scrape()]);

    for (const { lines } of answers) expect(lines).toContain('baton_one 1');
  });

  test('has the buckets of a histogram: cumulative, with a sum and a count, in seconds', async () => {
    const took = new Histogram<'step'>({
      name: 'baton_took_seconds',
      help: 'Took.',
      bounds: [1, 5],
    });
    for (const ms of [250, 750, 1_000, 4_000, 90_000]) took.recordMs({ step: 'a' }, ms);
    took.recordMs({ step: 'b' }, -20);
    const scrape = await scraper(took);

    const { lines } = await scrape();

    expect(lines.filter((line) => line.includes('took') && !line.includes('"b"'))).toEqual([
      '# HELP baton_took_seconds Took.',
      '# TYPE baton_took_seconds histogram',
      'baton_took_seconds_count{step="a"} 5',
      'baton_took_seconds_sum{step="a"} 96',
      'baton_took_seconds_bucket{step="a",le="1"} 3',
      'baton_took_seconds_bucket{step="a",le="5"} 4',
      'baton_took_seconds_bucket{step="a",le="+Inf"} 5',
    ]);
    expect(lines).toContain('baton_took_seconds_bucket{step="b",le="1"} 1');
    expect(lines).toContain('baton_took_seconds_sum{step="b"} 0');
  });

  test('repeated shows a histogram as it is: nothing twice, and it only grows', async () => {
    const took = new Histogram({ name: 'baton_took_seconds', help: 'Took.' });
    const scrape = await scraper(took);
    const buckets = async () =>
      (await scrape()).lines
        .filter((line) => line.startsWith('baton_took_seconds_bucket'))
        .map((line) => Number(line.split(' ')[1]));
    took.recordMs({}, 40);
    took.recordMs({}, 7_000);

    const first = await buckets();
    const second = await buckets();
    took.recordMs({}, 40);
    const third = await buckets();

    expect(first).toEqual(first.toSorted((a, b) => a - b));
    expect(first.at(-1)).toBe(2);
    expect(second).toEqual(first);
    expect(third.at(-1)).toBe(3);
    expect(third.every((count, index) => count >= (second[index] ?? 0))).toBe(true);
  });

  test('leaves out a metric that cannot be read, and no other', async () => {
    const broken = gauge('baton_broken', 'Broken.', () => {
      throw new Error('cannot be read');
    });
    const whole = gauge('baton_whole', 'Whole.', () => [{ value: 1, labels: {} }]);
    const scrape = await scraper(broken, whole);

    const { lines } = await scrape();

    expect(lines).toContain('baton_whole 1');
    expect(lines.join()).not.toContain('broken');
  });

  test('shows a metric that was added later, and names one that has no values', async () => {
    const metrics = new Metrics();
    const server = await serveHealth(new Health(), { host: '127.0.0.1', port: 0, metrics });
    onTestFinished(() => server[Symbol.asyncDispose]());
    const scrape = async () =>
      await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
    const before = await scrape();

    metrics.add(new Counter({ name: 'baton_late_total', help: 'Late.' }));

    expect(before).not.toContain('baton_late');
    expect(await scrape()).toContain('# TYPE baton_late_total counter');
  });

  test('of many series lets the event loop turn again and again, and tells each once', async () => {
    const ids = Array.from({ length: 5_000 }, (_, index) => `set-${index}`);
    const took = new Histogram<'scale_set'>({ name: 'baton_took_seconds', help: 'Took.' });
    for (const scale_set of ids.slice(0, 450)) took.recordMs({ scale_set }, 40);
    let value = 1;
    const state = gauge('baton_state', 'State.', () =>
      ids.map((scale_set) => ({ value, labels: { scale_set } })),
    );
    const metrics = new Metrics();
    metrics.add(state, took);
    const turns: number[] = [];
    const texts: string[] = [];

    for await (const text of scrapeSlices(metrics)) {
      texts.push(text);
      value += 1;
      setImmediate(() => turns.push(texts.length));
    }

    // Others get their turn after each bit but the last, before the next is made.
    expect(turns.slice(0, 7)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const lines = texts.join('').split('\n');
    expect(lines.filter((line) => line.startsWith('#'))).toEqual([
      '# HELP baton_state State.',
      '# TYPE baton_state gauge',
      '# HELP baton_took_seconds Took.',
      '# TYPE baton_took_seconds histogram',
    ]);
    const states = lines.filter((line) => line.startsWith('baton_state{'));
    expect(states).toEqual(ids.map((id) => `baton_state{scale_set="${id}"} 1`));
    expect(lines.filter((line) => line.startsWith('baton_took_seconds_count{'))).toHaveLength(450);
    expect(lines.filter((line) => line === '')).toHaveLength(1);
  });
});
