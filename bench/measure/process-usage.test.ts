import { expect, test } from 'vitest';
import { parseCpu, parseRss } from './process-usage.ts';

test('CPU time is user and system time, also of a program with brackets in its name', () => {
  const stat = '4242 (a) (b c) S 1 4242 4242 0 -1 4194560 5120 0 0 0 250 75 0 0 20 0 11 0 9 1 2';
  expect(parseCpu(stat)).toBe(3_250);
});

test('resident memory is read in bytes', () => {
  expect(parseRss('Name:\tnode\nVmPeak:\t  900 kB\nVmRSS:\t    512 kB\n')).toBe(512 * 1024);
});
