import { expect, test } from 'vitest';
import { freeByQuota } from './free-by-quota.ts';

const quota = (hard: Record<string, string>, used: Record<string, string>, spec = {}) => ({
  spec,
  status: { hard, used },
});

test.each([
  ['no quota', [], Number.POSITIVE_INFINITY],
  ['none of pods', [quota({ cpu: '4' }, { cpu: '1' })], Number.POSITIVE_INFINITY],
  ['one', [quota({ pods: '10' }, { pods: '4' })], 6],
  ['one without books', [{ spec: {}, status: { hard: { pods: '10' } } }], 10],
  ['the tighter of two', [quota({ pods: '10' }, {}), quota({ 'count/pods': '3' }, {})], 3],
  ['more than allowed', [quota({ pods: '1' }, { pods: '2' })], -1],
  [
    'one for some pods',
    [quota({ pods: '0' }, {}, { scopes: ['BestEffort'] })],
    Number.POSITIVE_INFINITY,
  ],
])('with %s', (_what, items, expected) => {
  expect(freeByQuota({ items })).toBe(expected);
});
