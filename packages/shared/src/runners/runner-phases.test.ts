import { aRunner } from '@baton/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Mark, Runner } from '../contracts/index.ts';
import type { Observation } from './observation.ts';
import { failureOf, lastPhase, leftCreate, type Phase, phasesEnded } from './runner-phases.ts';
import { apply, mark, steps } from './testing/lives.ts';

const second = (count: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, count)).toISOString();
const s = (count: number) => Date.parse(second(count));
const shape = (phases: readonly Phase[]) =>
  phases.map(({ name, startedAt, endedAt }) => [name, startedAt, endedAt]);

type Step = [number, Observation];

/** The phases told in the course of a life whose observations are written at these seconds. */
function live(...life: Step[]): { told: Phase[]; runner: Runner } {
  const told: Phase[] = [];
  let runner = aRunner({ state: 'creating', createdAt: second(0), stateAt: second(1) });
  for (const [at, observation] of life) {
    const before = runner;
    runner = apply(before, observation, second(at));
    const facts = 'facts' in observation ? observation.facts : undefined;
    told.push(...phasesEnded(before, runner, facts));
  }
  return { told, runner };
}

const created: Observation = { kind: 'created', instanceId: 'i-1', githubRunnerId: 7 };
const online: Observation = { kind: 'online', githubRunnerId: 7 };
const started = (at: number) => ({ kind: 'job-started' as const, jobId: 'j', at: second(at) });
const completed = (at: number): Observation => ({
  kind: 'job-completed',
  position: { epoch: 1, seq: 1 },
  facts: {
    ...{ at: second(at), result: 'succeeded', name: 'build', repository: 'acme/app' },
    workflowRunId: '99',
  },
});
const exited = (at: number, code = 0): Observation => ({ kind: 'exited', code, at: second(at) });
const marked = (reason: Mark['reason'], at: number): Observation => ({
  kind: 'marked',
  mark: { ...mark, reason, at: second(at) },
});

describe('phasesEnded', () => {
  test('tells each part of a life when it is over, with the times of the record', () => {
    const { told } = live([2, created], [9, online], [31, started(30)], [61, completed(60)]);

    expect(shape(told)).toEqual([
      ['boot', s(2), s(9)],
      ['idle', s(9), s(30)],
      ['job', s(30), s(60)],
    ]);
    expect(told[2]?.attributes).toEqual({
      'cicd.pipeline.task.run.id': 'j',
      'cicd.pipeline.task.name': 'build',
      'cicd.pipeline.task.run.result': 'succeeded',
      'cicd.pipeline.run.id': '99',
      'vcs.repository.name': 'acme/app',
    });
  });

  test('a runner that is first heard of by its job has booted until then, and was never idle', () => {
    const { told } = live([2, created], [12, started(10)]);

    expect(shape(told)).toEqual([['boot', s(2), s(10)]]);
  });

  test('a runner whose instance nobody had written down has booted since its create began', () => {
    const { told } = live([12, started(10)], [15, created]);

    expect(shape(told)).toEqual([['boot', s(1), s(10)]]);
  });

  test('a message that comes long after the runner ended does not make its job longer', () => {
    const { told } = live([2, created], [10, started(10)], [21, exited(20)], [70, completed(70)]);

    expect(shape(told).at(-1)).toEqual(['job', s(10), s(20)]);
  });

  test('a job that began and ended with one message took as long as GitHub says', () => {
    const facts = { at: second(60), result: 'succeeded', name: 'build', repository: 'acme/app' };
    const over = (times: { startedAt?: string; finishedAt?: string }): Observation => ({
      kind: 'job-completed',
      position: { epoch: 1, seq: 1 },
      facts: { ...facts, ...times, workflowRunId: '99' },
    });
    const of = (times: Parameters<typeof over>[0], ...more: Step[]) =>
      shape(live([2, created], [60, started(60)], ...more, [60, over(times)]).told).at(-1);

    const times = { startedAt: second(20), finishedAt: second(50) };
    expect(of(times)).toEqual(['job', s(20), s(50)]);
    expect(of({ startedAt: second(20) })).toEqual(['job', s(20), s(60)]);
    expect(of(times, [60, exited(30, 137)])).toEqual(['job', s(20), s(30)]);
    expect(of({ ...times, finishedAt: second(19) })).toEqual(['job', s(20), s(20)]);
  });

  test('what came before a job ended when GitHub says that it began', () => {
    const late: Observation = { ...started(40), facts: { startedAt: second(20) } };

    expect(shape(live([2, created], [40, late]).told)).toEqual([['boot', s(2), s(20)]]);
    expect(shape(live([2, created], [9, online], [40, late]).told)).toEqual([
      ['boot', s(2), s(9)],
      ['idle', s(9), s(20)],
    ]);
  });

  test('clocks that differ make no phase end before it begins', () => {
    const { told } = live([20, created], [21, started(5)], [22, completed(4)]);

    expect(shape(told)).toEqual([
      ['boot', s(5), s(5)],
      ['job', s(5), s(5)],
    ]);
  });

  test('tells a job whose end is heard of before its start, then when it is not known of none', () => {
    const { told, runner } = live([2, created], [61, completed(60)]);

    expect(told).toEqual([]);
    expect(lastPhase(runner, s(70))).toBeUndefined();
  });

  test('in any order and however often observations come, no phase is told twice', () => {
    const observation = fc.constantFrom(
      ...[created, online, started(30), completed(60), exited(61), exited(40, 1)],
      ...[marked('operator', 70), marked('surplus', 8), { kind: 'unmarked' } as const],
    );

    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(100), observation), { maxLength: 20 }), (life) => {
        const { told, runner } = live(...life);
        const last = lastPhase(runner, s(100));
        const names = [...told, ...(last ? [last] : [])].map(({ name }) => name);

        expect(names).toEqual([...new Set(names)]);
        for (const { startedAt, endedAt } of told)
          expect(endedAt).toBeGreaterThanOrEqual(startedAt);
      }),
      { numRuns: 1_000 },
    );
  });

  test('an observation that was refused ends nothing', () => {
    const life = [created, online, created, online];
    const changes = steps(life).filter(({ before, after }) => before === after);

    expect(changes.flatMap(({ before, after }) => phasesEnded(before, after))).toEqual([]);
  });
});

describe('lastPhase', () => {
  test.each<[string, Step[], [string, number, number] | undefined]>([
    ['is none before there was an instance', [[3, marked('create-failed', 3)]], undefined],
    ['is the boot of one that never came online', [[2, created]], ['boot', s(2), s(90)]],
    [
      'ends when the instance did',
      [
        [2, created],
        [5, exited(4, 1)],
      ],
      ['boot', s(2), s(4)],
    ],
    [
      'is idle without a job',
      [
        [2, created],
        [9, online],
      ],
      ['idle', s(9), s(90)],
    ],
    [
      'ends when it was lost',
      [
        [2, created],
        [9, online],
        [40, marked('lost', 40)],
      ],
      ['idle', s(9), s(40)],
    ],
    [
      'is a job that nobody said is over',
      [
        [2, created],
        [9, started(8)],
        [30, exited(29, 137)],
      ],
      ['job', s(8), s(29)],
    ],
    [
      'is none when the job was told',
      [
        [2, created],
        [9, started(8)],
        [30, completed(29)],
      ],
      undefined,
    ],
  ])('%s', (_what, life, expected) => {
    const phase = lastPhase(live(...life).runner, s(90));

    expect(phase && shape([phase])[0]).toEqual(expected);
  });
});

describe('leftCreate', () => {
  const span = { traceparent: 'of-the-create', at: second(1) };
  const claim: Observation = {
    kind: 'creating',
    creator: { v: 1, identity: 'provisioner-0', incarnation: 'abc', span },
  };
  /** A runner that was claimed, and what was observed of it since. */
  const left = (...life: Step[]) => {
    const requested = aRunner({ state: 'requested', createdAt: second(0), stateAt: second(0) });
    const runner = life.reduce(
      (one, [at, observation]) => apply(one, observation, second(at)),
      apply(requested, claim, second(1)),
    );
    return leftCreate(runner, s(90));
  };
  const failed = (failureClass: string): Observation => ({
    kind: 'failed',
    failure: { class: failureClass, text: 'it failed' },
  });

  test.each<[string, Step[], number]>([
    ['given up because its creator ended', [[40, failed('interrupted')]], s(90)],
    ['marked because nobody ended it', [[40, marked('stuck', 40)]], s(40)],
    ['heard of as online before it was known to be made', [[9, online]], s(9)],
    ['seen to end before it was known to be made', [[9, exited(8, 1)]], s(8)],
  ])('is that of a runner that was %s', (_what, life, endedAt) => {
    expect(left(...life)).toMatchObject({ as: 'of-the-create', startedAt: s(1), endedAt });
  });

  test.each<[string, Step[]]>([
    ['wrote down the instance', [[2, created]]],
    ['wrote down why it failed', [[2, failed('quota')]]],
    ['put it off', [[2, { kind: 'postponed', retryAt: second(9), reason: 'no room' }]]],
  ])('is none where the creator %s', (_what, life) => {
    expect(left(...life)).toBeUndefined();
  });
});

describe('failureOf', () => {
  const told = (reason: Mark['reason'], part: Partial<Runner> = {}) =>
    failureOf(aRunner({ state: 'marked', mark: { ...mark, reason }, ...part }))?.class;

  test('is what stands in the record, or why it was marked', () => {
    expect(told('exited', { failure: { class: 'exited', text: 'code 1' } })).toBe('exited');
    expect(told('create-failed', { failure: { class: 'image', text: 'no image' } })).toBe('image');
    expect(told('registration-deadline')).toBe('registration-deadline');
  });

  test.each<Mark['reason']>(['completed', 'surplus', 'rotation', 'operator', 'orphan'])(
    'is none where a runner went because it was done: %s',
    (reason) => {
      expect(told(reason, { failure: { class: 'lost', text: 'not listed once' } })).toBeUndefined();
    },
  );
});
