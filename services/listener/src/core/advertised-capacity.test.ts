import { aPlan, aSpec } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { advertisedCapacity } from './advertised-capacity.ts';

const now = Date.UTC(2026, 0, 1, 12);
const ago = (ms: number) => new Date(now - ms).toISOString();
const spec = aSpec({ declaration: { maxRunners: 10 } });

describe('advertisedCapacity', () => {
  test.each([
    ['nothing without a plan', spec, undefined, 0],
    ['what is alive and what is free', spec, { alive: ['a', 'b'], free: 3 }, 5],
    ['no more than the maximum', spec, { alive: ['a', 'b'], free: 30 }, 10],
    [
      'the maximum when more than that are alive',
      aSpec({ declaration: { maxRunners: 1 } }),
      { alive: ['a', 'b'], free: 3 },
      1,
    ],
    ['only what is alive when the plan is old', spec, { alive: ['a'], free: 3, age: 60_001 }, 1],
    ['what is free in a plan of one minute', spec, { alive: ['a'], free: 3, age: 60_000 }, 4],
    ['nothing while it is drained', aSpec({ deleting: true }), { alive: ['a'], free: 3 }, 0],
    ['nothing when it may run nothing', aSpec({ declaration: { maxRunners: 0 } }), { free: 3 }, 0],
  ])('is %s', (_what, of, plan, capacity) => {
    const {
      age = 0,
      alive = [],
      free = 0,
    }: { age?: number; alive?: string[]; free?: number } = plan ?? {};
    const published = plan && aPlan({ alive, free, freeAt: ago(age) });

    expect(advertisedCapacity(of, published, now)).toBe(capacity);
  });
});
