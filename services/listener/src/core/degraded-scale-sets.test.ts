import { describe, expect, test } from 'vitest';
import { degradedScaleSets } from './degraded-scale-sets.ts';

type Known = Parameters<typeof degradedScaleSets>[0] extends Iterable<infer T> ? T : never;

function told(current: Partial<Known['current']>, rest: Partial<Known> = {}) {
  const polling: Known['current'] = { scaleSetId: 'linux', state: 'polling', conditions: [] };
  const known = { isOurs: true, pollAgeMs: 1_000, current: { ...polling, ...current }, ...rest };
  return Object.fromEntries(degradedScaleSets([known]));
}

const since = '2026-01-01T00:00:00.000Z';
const labels = { type: 'labels-dropped', since, text: 'look whether' };

describe('degradedScaleSets', () => {
  test.each([
    ['it is polled', told({})],
    ['GitHub holds the poll for as long as it may', told({}, { pollAgeMs: 59_999 })],
    ['no poll is due', told({ state: 'disabled' }, { pollAgeMs: undefined })],
    ['a session is waited for, not for long', told({ state: 'conflicted', reason: 'held' })],
    [
      'another listener has it',
      told({ conditions: [labels] }, { isOurs: false, pollAgeMs: 90_000 }),
    ],
  ])('are none while %s', (_what, found) => {
    expect(found).toEqual({});
  });

  test.each([
    ['no poll was answered for 75 s (polling)', told({}, { pollAgeMs: 75_000 })],
    [
      'no poll was answered for 75 s (conflicted: held)',
      told({ state: 'conflicted', reason: 'held' }, { pollAgeMs: 75_000 }),
    ],
    ['cannot be served: refused', told({ state: 'failed', reason: 'refused' })],
    ['labels-dropped: look whether', told({ conditions: [labels] })],
    [
      'no poll was answered for 75 s (polling); labels-dropped: look whether',
      told({ conditions: [labels] }, { pollAgeMs: 75_000 }),
    ],
  ])('say "%s"', (text, found) => {
    expect(found).toEqual({ linux: text });
  });
});
