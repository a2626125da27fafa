import { describe, expect, test } from 'vitest';
import {
  type CallPriority,
  callPriorities,
  decideAdmission,
  firstWidth,
  fullWidth,
  type GateState,
  mostAtOnce,
  pauseAfterLimit,
  type Running,
} from './decide-admission.ts';

const nowMs = 1_000;

function running(changes: Partial<Running> = {}): Running {
  return { session: 0, others: 0, hung: 0, ...changes };
}

function aState(changes: Partial<GateState> = {}): GateState {
  const open = { closedUntilMs: 0, budget: undefined, width: fullWidth };
  return { ...open, running: running(), ...changes };
}

/** Which priorities may be sent now. */
function admitted(state: GateState): CallPriority[] {
  return callPriorities.filter((priority) => decideAdmission(state, priority, nowMs).kind === 'go');
}

describe('decideAdmission', () => {
  test('all go when nothing is limited', () => {
    expect(admitted(aState())).toEqual(callPriorities);
  });

  test('none goes before the limit ends, and each is told when that is', () => {
    const state = aState({ closedUntilMs: nowMs + 1 });

    expect(admitted(state)).toEqual([]);
    expect(decideAdmission(state, 'session', nowMs)).toEqual({ kind: 'wait', untilMs: nowMs + 1 });
    expect(admitted(aState({ closedUntilMs: nowMs }))).toEqual(callPriorities);
  });

  test.each<[remaining: number, expected: CallPriority[]]>([
    [501, ['session', 'jit', 'other', 'cleanup']],
    [500, ['session', 'jit', 'other']],
    [250, ['session', 'jit']],
    [100, ['session']],
    [1, ['session']],
    [0, []],
  ])('with %i of 5000 left until the reset, %j may go', (remaining, expected) => {
    const budget = { limit: 5_000, remaining, resetsAtMs: nowMs + 60_000 };

    expect(admitted(aState({ budget }))).toEqual(expected);
    expect(admitted(aState({ budget: { ...budget, resetsAtMs: nowMs } }))).toEqual(callPriorities);
  });

  test('sessions open sixteen at a time', () => {
    expect(admitted(aState({ running: running({ session: 15 }) }))).toContain('session');
    expect(admitted(aState({ running: running({ session: 16 }) }))).toEqual([
      'jit',
      'other',
      'cleanup',
    ]);
  });

  test('calls that hang hold nobody back until there are far too many', () => {
    expect(admitted(aState({ running: running({ hung: mostAtOnce - 1 }) }))).toEqual(
      callPriorities,
    );
    expect(admitted(aState({ running: running({ hung: mostAtOnce }) }))).toEqual([]);
    const both = running({ session: 15, hung: mostAtOnce - 15 });
    expect(admitted(aState({ running: both }))).toEqual([]);
  });

  test('a quarter of the width is kept for sessions, also right after a limit', () => {
    expect(admitted(aState({ running: running({ others: 48 }) }))).toEqual(['session']);
    const width = firstWidth;
    expect(admitted(aState({ width, running: running({ others: 3 }) }))).toEqual(['session']);
    expect(admitted(aState({ width, running: running({ session: 1, others: 3 }) }))).toEqual([]);
  });
});

describe('pauseAfterLimit', () => {
  test.each([
    ['rest', 1, 60_000],
    ['rest', 2, 120_000],
    ['rest', 10, 900_000],
    ['service', 1, 5_000],
    ['service', 3, 20_000],
    ['service', 10, 60_000],
  ] as const)('%s without a time, limit %i in a row: %i ms', (api, strikes, expected) => {
    expect(pauseAfterLimit({ retryAfterMs: undefined, api, strikes })).toBe(expected);
  });

  test('is what GitHub asked for, but never nothing and never much more than an hour', () => {
    const pause = (retryAfterMs: number) =>
      pauseAfterLimit({ retryAfterMs, api: 'rest', strikes: 3 });

    expect([pause(0), pause(7_000), pause(86_400_000)]).toEqual([1_000, 7_000, 3_900_000]);
  });
});
