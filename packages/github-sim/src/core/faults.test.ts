import { FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { type FaultRuleInput, faultRuleSchema } from './fault-rule.ts';
import { Faults } from './faults.ts';

const noSet = () => undefined;

function hitsOf(faults: Faults, count: number, set: () => string | undefined = noSet): boolean[] {
  return Array.from({ length: count }, () => faults.decide('getMessage', set) !== undefined);
}

function withRule(rule: Partial<FaultRuleInput>, seed = 1) {
  const clock = new FakeClock();
  const faults = new Faults(clock, seed);
  faults.add(faultRuleSchema.parse({ route: 'getMessage', action: { kind: 'empty200' }, ...rule }));
  return { clock, faults };
}

describe('Faults', () => {
  test('strikes the first requests only', () => {
    expect(hitsOf(withRule({ first: 2 }).faults, 4)).toEqual([true, true, false, false]);
  });

  test('strikes every nth request', () => {
    expect(hitsOf(withRule({ every: 3 }).faults, 6)).toEqual([
      false,
      false,
      true,
      false,
      false,
      true,
    ]);
  });

  test('the same seed gives the same dice', () => {
    const [one, two] = [1, 1].map((seed) =>
      hitsOf(withRule({ probability: 0.3 }, seed).faults, 200),
    );
    const other = hitsOf(withRule({ probability: 0.3 }, 2).faults, 200);

    expect(one).toEqual(two);
    expect(one).not.toEqual(other);
    expect(one?.filter(Boolean).length).toBeGreaterThan(40);
    expect(one?.filter(Boolean).length).toBeLessThan(80);
  });

  test('strikes inside its window of time only', async () => {
    const { clock, faults } = withRule({ afterMs: 100, windowMs: 50 });

    const hits = [...hitsOf(faults, 1)];
    await clock.advance(100);
    hits.push(...hitsOf(faults, 1));
    await clock.advance(50);
    hits.push(...hitsOf(faults, 1));

    expect(hits).toEqual([false, true, false]);
  });

  test('leaves other routes and other scale sets alone', () => {
    const { faults } = withRule({ scaleSet: 'linux' });

    expect(faults.decide('createSession', noSet)).toBeUndefined();
    expect(hitsOf(faults, 1, () => 'gpu')).toEqual([false]);
    expect(hitsOf(faults, 1, () => 'linux')).toEqual([true]);
  });

  test('an outage within another one does not end that sooner', async () => {
    const clock = new FakeClock();
    const faults = new Faults(clock, 1);

    faults.startOutage(1_000, 503);
    await clock.advance(100);
    faults.startOutage(200, 502);
    await clock.advance(800);
    const hits = hitsOf(faults, 1);
    await clock.advance(100);

    expect([...hits, ...hitsOf(faults, 1)]).toEqual([true, false]);
  });

  test('a rule that is replaced comes after those that were there', () => {
    const { faults } = withRule({});
    const status = { kind: 'status', status: 503 } as const;
    const outage = { id: 'outage', route: '*', action: status } as const;

    faults.add(faultRuleSchema.parse(outage));
    faults.add(faultRuleSchema.parse({ route: 'createSession', action: { kind: 'hang' } }));
    faults.add(faultRuleSchema.parse(outage));

    expect(faults.decide('createSession', noSet)?.kind).toBe('hang');
    expect(faults.decide('deleteSession', noSet)?.kind).toBe('status');
  });
});
