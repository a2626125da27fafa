import { aRunner } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { type Mark, type Runner, type RunnerState, runnerStates } from '../contracts/index.ts';
import type { Observation } from './observation.ts';
import { apply, at, examples, mark } from './testing/lives.ts';
import { marksFrom, transition, transitions } from './transition.ts';

describe('transition', () => {
  test.each<[RunnerState, Partial<Record<Observation['kind'], RunnerState>>]>([
    ['requested', { creating: 'creating', failed: 'failed', marked: 'marked' }],
    [
      'creating',
      {
        postponed: 'requested',
        created: 'starting',
        failed: 'failed',
        online: 'idle',
        'seen-busy': 'busy',
        'job-started': 'busy',
        'job-completed': 'completed',
        exited: 'completed',
        lost: 'lost',
        marked: 'marked',
      },
    ],
    [
      'starting',
      {
        failed: 'failed',
        online: 'idle',
        'seen-busy': 'busy',
        'job-started': 'busy',
        'job-completed': 'completed',
        exited: 'completed',
        lost: 'lost',
        marked: 'marked',
      },
    ],
    [
      'idle',
      {
        'seen-busy': 'busy',
        'job-started': 'busy',
        'job-completed': 'completed',
        exited: 'completed',
        lost: 'lost',
        marked: 'marked',
      },
    ],
    ['busy', { 'job-completed': 'completed', exited: 'completed', lost: 'lost', marked: 'marked' }],
    ['completed', { marked: 'marked' }],
    ['failed', { marked: 'marked' }],
    ['lost', { marked: 'marked' }],
    ['marked', { deleting: 'deleting', unmarked: 'busy' }],
    ['deleting', { unmarked: 'busy' }],
  ])('moves a runner that is %s by these observations and no others', (state, expected) => {
    const moves = Object.values(examples).flatMap((observation) => {
      const result = transition(aRunner({ state }), observation, at);
      return result.kind === 'moved' ? [[observation.kind, result.runner.state]] : [];
    });

    expect(Object.fromEntries(moves)).toEqual(expected);
  });

  test('the published table says from where each observation moves, and where to', () => {
    for (const observation of Object.values(examples)) {
      const { from, to } = transitions[observation.kind];
      const moves = runnerStates.flatMap((state) => {
        const result = transition(aRunner({ state }), observation, at);
        return result.kind === 'moved' ? [{ from: state, to: result.runner.state }] : [];
      });

      expect(moves.map((move) => move.from)).toEqual(from);
      for (const move of moves) expect(to).toContain(move.to);
    }
  });

  test.each<[Mark['reason'], RunnerState[]]>([
    ['surplus', ['requested', 'creating', 'starting', 'idle']],
    ['rotation', ['requested', 'creating', 'starting', 'idle']],
    ['registration-deadline', ['requested', 'creating', 'starting']],
    ['unregistered', ['starting', 'idle', 'busy']],
    ['stuck', ['requested', 'creating']],
    ['offline', ['idle', 'busy']],
    ['orphan', ['starting', 'idle', 'busy']],
  ])('a mark because of %s takes only what it was decided about', (reason, expected) => {
    const marked = runnerStates.filter((state) => {
      const observation = { kind: 'marked', mark: { ...mark, reason } } as const;
      return transition(aRunner({ state }), observation, at).kind === 'moved';
    });

    expect(marked).toEqual(expected);
    expect(marksFrom[reason]).toEqual(expected);
  });

  test('a mark of one that nobody had begun to make is refused when somebody has', () => {
    const stuck = { ...mark, reason: 'stuck', gate: 'none' } as const;
    const marked = (state: RunnerState) =>
      transition(aRunner({ state }), { kind: 'marked', mark: stuck }, at).kind;

    expect([marked('requested'), marked('creating')]).toEqual(['moved', 'refused']);
  });

  test('the end that a provider can explain says why', () => {
    const evicted = apply(aRunner({ state: 'busy' }), {
      kind: 'exited',
      code: 137,
      at,
      problem: 'evicted: the node was low on memory',
    });

    expect(evicted.failure).toEqual({
      class: 'exited',
      text: 'the runner ended with code 137: evicted: the node was low on memory',
    });
  });

  test('what is known of the way up is forgotten once it is online, and not heard any more', () => {
    const pulling = apply(aRunner({ state: 'creating' }), examples.progress);
    const online = apply(pulling, examples.online);

    expect(pulling.progress).toBe('pulling image x: 40 %');
    expect(online).not.toHaveProperty('progress');
    expect(transition(online, examples.progress, at)).toEqual({ kind: 'refused' });
  });

  test('sets the time of the state when it moves, and only then', () => {
    const started = apply(aRunner({ state: 'idle' }), examples['job-started'], at);
    const late = apply(started, examples.created, '2026-01-01T00:02:00.000Z');

    expect(started.stateAt).toBe(at);
    const instanceAt = '2026-01-01T00:02:00.000Z';
    expect(late).toEqual({ ...started, instanceId: 'i-1', instanceAt });
  });

  test('a runner that ended with anything but 0 has failed, and says how', () => {
    const crashed = apply(aRunner({ state: 'busy' }), { kind: 'exited', code: 137, at });
    const vanished = apply(aRunner({ state: 'busy' }), { kind: 'exited', code: undefined, at });

    expect(crashed).toMatchObject({
      state: 'failed',
      exit: { code: 137, at },
      failure: { class: 'exited', text: 'the runner ended with code 137' },
    });
    expect(vanished).toMatchObject({
      state: 'failed',
      failure: { text: 'the runner ended with an unknown code' },
    });
  });

  test('a runner that is busy after all loses its mark and the progress of its deletion', () => {
    const deletion = { attempts: 2, deregistered: false, instanceDeleted: false };
    const deleting = aRunner({ state: 'deleting', mark, deletion });

    const freed = apply(deleting, { kind: 'unmarked' });

    expect(freed).toEqual(aRunner({ state: 'busy', stateAt: at }));
  });

  test.each<[string, Observation[], RunnerState]>([
    ['its job has ended', [examples['job-completed']], 'completed'],
    ['it has exited', [examples.exited], 'completed'],
    ['it has crashed', [examples['job-completed'], { kind: 'exited', code: 1, at }], 'failed'],
    ['it has only just taken the job', [examples['job-started']], 'busy'],
  ])('a runner whose mark is taken back when %s', (_what, meanwhile, state) => {
    const marked = apply(aRunner({ state: 'idle' }), examples.marked);

    const freed = [...meanwhile, examples.unmarked].reduce<Runner>(
      (runner, observation) => apply(runner, observation),
      marked,
    );

    expect(freed.state).toBe(state);
  });
});

test('a runner that was put off is claimed when its time has come, not before', () => {
  const runner = aRunner({ state: 'requested', retryAt: '2026-11-26T06:00:10.000Z' });
  const creator = { v: 1 as const, identity: 'provisioner-0', incarnation: 'abc' };
  const claim = (time: string) => transition(runner, { kind: 'creating', creator }, time);

  expect(claim('2026-11-26T06:00:09.999Z').kind).toBe('refused');
  expect(claim('2026-11-26T06:00:10.000Z').kind).toBe('moved');
});
