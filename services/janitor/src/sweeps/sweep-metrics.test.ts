import { FakeClock } from '@baton/testkit';
import { expect, test } from 'vitest';
import { SweepMetrics } from './sweep-metrics.ts';

const part = { sweep: 'lost', hostId: 'rack-7' } as const;
const labels = { sweep: 'lost', host: 'rack-7' };
const hold = { id: 'h1', since: '', count: 12, of: 20, runnerIds: [], text: '' };
const result = {
  ...{ lookedAt: 20, found: [], acted: { mark: 2, adopt: 0, deregister: 0 } },
  ...{ left: { held: 12 }, hold, problem: undefined, recent: [] },
};

test('what is led is told, and nothing of it once another leads', async () => {
  const clock = new FakeClock();
  const metrics = new SweepMetrics(clock);
  const read = (name: string) => [
    ...(metrics.sources.find((one) => one.name === `baton_sweep_${name}`)?.read() ?? []),
  ];

  metrics.leads(part);
  await clock.advance(1_000);
  metrics.ran(part, 'done', result);
  metrics.ran(part, 'failed', undefined);
  await clock.advance(5_000);

  expect(read('held')).toEqual([{ value: 12, labels }]);
  expect(read('left')).toEqual([{ value: 12, labels: { ...labels, reason: 'held' } }]);
  expect(read('last_run_seconds')).toEqual([{ value: 5, labels }]);
  expect(read('findings_total')).toEqual([{ value: 2, labels: { sweep: 'lost', action: 'mark' } }]);
  expect(read('runs_total').map(({ labels: { result: end } }) => end)).toEqual(['done', 'failed']);

  metrics.leadsNoMore(part);
  metrics.ran(part, 'done', result);

  expect(['held', 'left', 'last_run_seconds'].flatMap(read)).toEqual([]);
});
