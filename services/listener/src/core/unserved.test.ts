import { describe, expect, test } from 'vitest';
import { nextUnserved, type Unserved } from './unserved.ts';

type Seen = Parameters<typeof nextUnserved>[1];

/** Sees these numbers one after another, a second apart; the time since when jobs are unserved. */
function after(...seen: Partial<Seen>[]): number | undefined {
  let state: Unserved | undefined;
  seen.forEach((part, at) => {
    state = nextUnserved(state, { assigned: 0, running: 0, started: false, ...part }, at);
  });
  return state?.since;
}

describe('nextUnserved', () => {
  test('is nothing while every assigned job runs', () => {
    expect(after({ assigned: 0 })).toBeUndefined();
    expect(after({ assigned: 3, running: 3 })).toBeUndefined();
  });

  test('counts from when a job was first seen without a runner', () => {
    expect(after({}, { assigned: 1 }, { assigned: 1 }, { assigned: 4 })).toBe(1);
  });

  test('begins anew when a runner takes a job', () => {
    expect(after({ assigned: 4 }, { assigned: 4, running: 1 })).toBe(1);
    expect(after({ assigned: 4, running: 1 }, { assigned: 4, running: 1, started: true })).toBe(1);
  });

  test('goes on when a job that ran is over and the others still wait', () => {
    expect(after({ assigned: 4, running: 2 }, { assigned: 3, running: 1 })).toBe(0);
  });

  test('goes on when one of the jobs that wait is cancelled', () => {
    expect(after({ assigned: 4 }, { assigned: 3 })).toBe(0);
  });

  test('ends with the last job that waited', () => {
    expect(after({ assigned: 2 }, { assigned: 2, running: 2 })).toBeUndefined();
    expect(after({ assigned: 2 }, { assigned: 0 })).toBeUndefined();
  });
});
