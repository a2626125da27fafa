import { describe, expect, test } from 'vitest';
import { isBoundHere, isElsewhere } from './is-elsewhere.ts';

const cases = [
  { runner: {}, provider: {}, elsewhere: false, boundHere: false },
  { runner: {}, provider: { hostId: 'a' }, elsewhere: false, boundHere: false },
  { runner: {}, provider: undefined, elsewhere: false, boundHere: false },
  { runner: { hostId: 'a' }, provider: { hostId: 'a' }, elsewhere: false, boundHere: true },
  { runner: { hostId: 'a' }, provider: { hostId: 'b' }, elsewhere: true, boundHere: false },
  // The provider of that name is of no one host here, or not known at all: it cannot see it.
  { runner: { hostId: 'a' }, provider: {}, elsewhere: true, boundHere: false },
  { runner: { hostId: 'a' }, provider: undefined, elsewhere: true, boundHere: false },
];

describe('a runner', () => {
  test.each(cases)(
    '$runner is to provider $provider elsewhere: $elsewhere, bound here: $boundHere',
    ({ runner, provider, elsewhere, boundHere }) => {
      expect(isElsewhere(runner, provider)).toBe(elsewhere);
      expect(isBoundHere(runner, provider)).toBe(boundHere);
    },
  );
});
