import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decideSessionStep,
  defaultOpeningPolicy,
  type OpeningState,
  type SessionAnswer,
  type SessionStep,
} from './decide-session-step.ts';

const minuteMs = 60_000;
const policy = defaultOpeningPolicy;

function aState(part: Partial<OpeningState> = {}): OpeningState {
  return { recorded: true, last: undefined, conflicts: 0, conflictMs: 0, failures: 0, ...part };
}

function decide(part: Partial<OpeningState>, die = 0.5): SessionStep {
  return decideSessionStep(aState(part), policy, () => die);
}

/** The wait that a decision comes with, at least and at most. */
function waits(part: Partial<OpeningState>): [number, number] {
  const [least, most] = [decide(part, 0), decide(part, 1)];
  if (least.kind !== 'call' || most.kind !== 'call') throw new Error('decided not to call');
  return [least.afterMs, most.afterMs];
}

const now = (call: 'resume' | 'delete' | 'create'): SessionStep => ({
  kind: 'call',
  call,
  afterMs: 0,
});

describe('decideSessionStep', () => {
  test.each<[string, Partial<OpeningState>, SessionStep]>([
    ['resumes the session of the record', { recorded: true }, now('resume')],
    ['creates one when there is no record', { recorded: false }, now('create')],
    ['is done when resumed', { last: { call: 'resume', result: 'done' } }, { kind: 'open' }],
    ['is done when created', { last: { call: 'create', result: 'done' } }, { kind: 'open' }],
    [
      'creates when the recorded one is gone',
      { last: { call: 'resume', result: 'gone' } },
      now('create'),
    ],
    [
      'takes over what it may not resume',
      { last: { call: 'resume', result: 'refused' } },
      now('delete'),
    ],
    ['creates after deleting', { last: { call: 'delete', result: 'done' } }, now('create')],
    [
      'creates when what it deletes is gone',
      { last: { call: 'delete', result: 'gone' } },
      now('create'),
    ],
    [
      'creates when it may not delete',
      { last: { call: 'delete', result: 'refused' } },
      now('create'),
    ],
  ])('%s', (_what, state, step) => {
    expect(decide(state)).toEqual(step);
  });

  test.each(['resume', 'delete', 'create'] as const)(
    'tries to %s again when GitHub cannot be asked, with a growing wait',
    (call) => {
      const last: SessionAnswer = { call, result: 'unavailable' };

      const first = waits({ last, failures: 1 });
      const fourth = waits({ last, failures: 4 });
      const late = waits({ last, failures: 1_000 });

      expect(decide({ last, failures: 1 })).toMatchObject({ kind: 'call', call });
      expect([first, fourth, late]).toEqual([
        [100, 250],
        [100, 2_000],
        [100, 30_000],
      ]);
    },
  );

  test('asks for a held session again within seconds while it is expected to be freed', () => {
    const last: SessionAnswer = { call: 'create', result: 'conflict' };

    const first = waits({ last, conflicts: 1, conflictMs: 0 });
    const later = waits({ last, conflicts: 40, conflictMs: 3 * minuteMs - 1 });

    expect(first).toEqual([1_000, 2_000]);
    expect(later).toEqual([1_000, 8_000]);
  });

  test('asks more seldom when the session is held for longer than that', () => {
    const last: SessionAnswer = { call: 'create', result: 'conflict' };
    const at = (conflictMs: number) => waits({ last, conflicts: 40, conflictMs })[1];

    expect([3, 6, 12, 24, 48, 24 * 60].map((minutes) => at(minutes * minuteMs))).toEqual([
      20_000, 40_000, 80_000, 160_000, 300_000, 300_000,
    ]);
    expect(waits({ last, conflictMs: 60 * minuteMs })[0]).toBe(5_000);
  });

  test('waits as long as GitHub asks it to', () => {
    const conflict: SessionAnswer = { call: 'create', result: 'conflict', retryAfterMs: 45_000 };
    const unavailable: SessionAnswer = {
      call: 'resume',
      result: 'unavailable',
      retryAfterMs: 90_000,
    };

    expect(waits({ last: conflict, conflicts: 1 })).toEqual([45_000, 45_000]);
    expect(waits({ last: unavailable, failures: 1 })).toEqual([90_000, 90_000]);
  });

  test('never asks at once after a conflict or a failure, whatever came before', () => {
    const answers = fc.constantFrom<SessionAnswer>(
      { call: 'create', result: 'conflict' },
      { call: 'create', result: 'conflict', retryAfterMs: 0 },
      { call: 'resume', result: 'unavailable' },
      { call: 'delete', result: 'unavailable', retryAfterMs: 0 },
    );
    const counts = fc.integer({ min: 1, max: 100_000 });
    const times = fc.integer({ min: 0, max: 30 * 24 * 60 * minuteMs });
    const dice = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

    fc.assert(
      fc.property(answers, counts, times, dice, (last, count, conflictMs, die) => {
        const step = decide({ last, conflicts: count, failures: count, conflictMs }, die);

        expect(step).toMatchObject({ kind: 'call', call: last.call });
        expect(step.kind === 'call' && step.afterMs).toBeGreaterThanOrEqual(100);
        expect(step.kind === 'call' && step.afterMs).toBeLessThanOrEqual(300_000);
      }),
    );
  });
});
