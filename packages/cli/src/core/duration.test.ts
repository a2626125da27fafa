import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

test.each([
  ['500ms', 500],
  ['90s', 90_000],
  ['10m', 600_000],
  ['1h', 3_600_000],
  ['10', undefined],
  ['1.5h', undefined],
  ['m', undefined],
])('reads the duration %s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  [-5, '0s'],
  [59_999, '59s'],
  [192_000, '3m12s'],
  [7_200_000, '2h'],
  [90_000_000, '1d1h'],
])('writes %d ms as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
