import { aRunner } from '@baton/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Runner, type RunnerState, runnerStates } from '../contracts/index.ts';
import { type Observation, transition, transitions } from './transition.ts';

const at = '2026-01-01T00:01:00.000Z';
const mark = { reason: 'surplus', gate: 'github', by: 'provisioner-0', at } as const;
const creator = { v: 1, identity: 'provisioner-0', incarnation: 'abc' } as const;
const position = { epoch: 3, seq: 4 };

/** One of every kind, as a happy life would bring them. */
const examples = {
  creating: { kind: 'creating', creator },
  postponed: { kind: 'postponed', retryAt: at, reason: 'GitHub is away' },
  created: { kind: 'created', instanceId: 'i-1', githubRunnerId: 7 },
  failed: { kind: 'failed', failure: { class: 'quota', text: 'no more room' } },
  online: { kind: 'online', githubRunnerId: 7 },
  'job-started': { kind: 'job-started', jobId: 'j-1', at, githubRunnerId: 7 },
  'job-completed': { kind: 'job-completed', position },
  exited: { kind: 'exited', code: 0, at },
  marked: { kind: 'marked', mark },
  unmarked: { kind: 'unmarked' },
  deleting: { kind: 'deleting' },
} satisfies { [K in Observation['kind']]: Extract<Observation, { kind: K }> };

/** How far a state is in a life. A step back is one to a smaller number. */
const progress: Record<RunnerState, number> = {
  requested: 0,
  creating: 1,
  starting: 2,
  idle: 3,
  busy: 4,
  completed: 5,
  failed: 5,
  lost: 5,
  marked: 6,
  deleting: 7,
};
/** The two observations that say that something planned did not come about. */
const takesBack = (kind: Observation['kind']) => kind === 'postponed' || kind === 'unmarked';

const anObservation: fc.Arbitrary<Observation> = fc.oneof(
  fc.constantFrom(...Object.values(examples)),
  fc.record({
    kind: fc.constant('exited' as const),
    code: fc.constantFrom(0, 1, 137, undefined),
    at: fc.constant(at),
  }),
  fc.record({
    kind: fc.constant('job-completed' as const),
    position: fc.record({ epoch: fc.nat(5), seq: fc.nat(5) }),
  }),
  fc.record({
    kind: fc.constant('created' as const),
    instanceId: fc.constantFrom('i-1', 'i-2'),
    githubRunnerId: fc.constantFrom(7, 8, undefined),
  }),
  fc.record({
    kind: fc.constant('marked' as const),
    mark: fc.constantFrom(mark, { ...mark, reason: 'completed' as const, gate: 'none' as const }),
  }),
);
const aLife = fc.array(anObservation, { maxLength: 25 });

function apply(runner: Runner, observation: Observation, when = at): Runner {
  const result = transition(runner, observation, when);
  return result.kind === 'refused' ? runner : result.runner;
}

/** Every step of a life: the runner before and after each observation. */
function steps(life: readonly Observation[]) {
  let runner = aRunner();
  return life.map((observation) => {
    const before = runner;
    runner = apply(runner, observation);
    return { observation, before, after: runner };
  });
}

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
        'job-started': 'busy',
        'job-completed': 'completed',
        exited: 'completed',
        marked: 'marked',
      },
    ],
    [
      'starting',
      {
        failed: 'failed',
        online: 'idle',
        'job-started': 'busy',
        'job-completed': 'completed',
        exited: 'completed',
        marked: 'marked',
      },
    ],
    [
      'idle',
      {
        'job-started': 'busy',
        'job-completed': 'completed',
        exited: 'completed',
        marked: 'marked',
      },
    ],
    ['busy', { 'job-completed': 'completed', exited: 'completed', marked: 'marked' }],
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

  test('the published table says from where each observation moves', () => {
    for (const observation of Object.values(examples)) {
      const from = runnerStates.filter(
        (state) => transition(aRunner({ state }), observation, at).kind === 'moved',
      );

      expect(from).toEqual(transitions[observation.kind].from);
    }
  });

  test('sets the time of the state when it moves, and only then', () => {
    const started = apply(aRunner({ state: 'idle' }), examples['job-started'], at);
    const late = apply(started, examples.created, '2026-01-01T00:02:00.000Z');

    expect(started.stateAt).toBe(at);
    expect(late).toEqual({ ...started, instanceId: 'i-1' });
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

  test('never leaves marked or deleting but by being unmarked', () => {
    fc.assert(
      fc.property(aLife, (life) => {
        const left = steps(life).filter(
          ({ before, after, observation }) =>
            progress[before.state] >= progress.marked &&
            progress[after.state] < progress.marked &&
            observation.kind !== 'unmarked',
        );

        expect(left).toEqual([]);
      }),
    );
  });

  test('never moves backwards but by being postponed or unmarked', () => {
    fc.assert(
      fc.property(aLife, (life) => {
        const back = steps(life).filter(
          ({ before, after, observation }) =>
            progress[after.state] < progress[before.state] && !takesBack(observation.kind),
        );

        expect(back).toEqual([]);
      }),
    );
  });

  test('an observation that comes twice changes nothing the second time', () => {
    fc.assert(
      fc.property(aLife, anObservation, (life, observation) => {
        const before = steps(life).at(-1)?.after ?? aRunner();
        const once = apply(before, observation);

        const again = transition(once, observation, '2026-01-01T09:00:00.000Z');

        expect(again).toEqual({ kind: 'refused' });
      }),
    );
  });

  test('the first completion is kept for good', () => {
    fc.assert(
      fc.property(aLife, (life) => {
        const changed = steps(life).filter(
          ({ before, after }) =>
            before.completedIn !== undefined && after.completedIn !== before.completedIn,
        );
        const first = life.find(({ kind }) => kind === 'job-completed');

        expect(changed).toEqual([]);
        expect(steps(life).at(-1)?.after.completedIn).toEqual(
          first?.kind === 'job-completed' ? first.position : undefined,
        );
      }),
    );
  });

  test('who the runner is, its instance, its end and its failure never change once known', () => {
    const fixed = ['runnerId', 'name', 'scaleSetId', 'instanceId', 'githubRunnerId', 'exit', 'job'];

    fc.assert(
      fc.property(aLife, fc.constantFrom(...fixed), (life, key) => {
        const changed = steps(life).filter(
          ({ before, after }) =>
            key in before && Reflect.get(after, key) !== Reflect.get(before, key),
        );

        expect(changed).toEqual([]);
      }),
    );
  });

  test('a marked runner says why, one that is not marked does not', () => {
    fc.assert(
      fc.property(aLife, (life) => {
        const { state, mark: why } = steps(life).at(-1)?.after ?? aRunner();

        expect(why !== undefined).toBe(progress[state] >= progress.marked);
      }),
    );
  });

  test('does not change the runner that it was given', () => {
    fc.assert(
      fc.property(aLife, anObservation, (life, observation) => {
        const runner = steps(life).at(-1)?.after ?? aRunner();
        const copy = structuredClone(runner);

        transition(runner, observation, at);

        expect(runner).toEqual(copy);
      }),
    );
  });
});
