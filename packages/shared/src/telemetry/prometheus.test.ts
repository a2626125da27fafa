import { describe, expect, onTestFinished, test } from 'vitest';
import { Health } from '../lifecycle/health.ts';
import { serveHealth } from '../lifecycle/health-server.ts';
import { Counter, gauge, type Measurement, type MetricSource, Metrics } from './metrics.ts';

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
});
