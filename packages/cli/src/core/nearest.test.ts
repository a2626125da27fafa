import { expect, test } from 'vitest';
import { findNearest } from './nearest.ts';

test('finds the names that look alike, best first', () => {
  const names = ['linux-large', 'linux-small', 'windows', 'gpu'];

  expect(findNearest('linux-smal', names)).toEqual(['linux-small']);
  expect(findNearest('linux', names)).toEqual(['linux-large', 'linux-small']);
  expect(findNearest('widnows', names)).toEqual(['windows']);
  expect(findNearest('mainframe', names)).toEqual([]);
});
