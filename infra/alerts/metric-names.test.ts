import { expect, test } from 'vitest';
import { metricNamesOf } from './metric-names.ts';

test.each([
  ['up == 0', ['up']],
  ['absent(up{job="baton_x"} == 1)', ['up']],
  ['sum by (job, outcome) (rate(a_total{b=~"c|d", e!=\'f\'}[5m])) > 0.5', ['a_total']],
  ['sum(rate(a_total[1h:30s])) without (b)', ['a_total']],
  [
    'histogram_quantile(0.95, sum by (le) (rate(a_seconds_bucket{}[$__rate_interval])))',
    ['a_seconds_bucket'],
  ],
  ['max by (s) (a) unless on (s) b unless on (s) c{d="e"}', ['a', 'b', 'c']],
  ['sum(a) - (sum(a offset 1h) or vector(0)) > 1e3', ['a']],
  ['a / on (x) group_left (y) b * group_right c', ['a', 'b', 'c']],
  ['a{b="}"} + c{d="\\"e"}', ['a', 'c']],
  ['min(baton_misspelt) > 3', ['baton_misspelt']],
  ['time() - job:a:rate5m', ['job:a:rate5m']],
])('%s', (expr, names) => {
  expect(metricNamesOf(expr)).toEqual(names);
});
