import { aRunner } from '@baton/testkit';
import fc from 'fast-check';
import type { Mark, Runner, RunnerState } from '../../contracts/index.ts';
import type { Observation } from '../observation.ts';
import { transition } from '../transition.ts';

export const at = '2026-01-01T00:01:00.000Z';
export const mark = { reason: 'surplus', gate: 'github', by: 'provisioner-0', at } as const;
const creator = { v: 1, identity: 'provisioner-0', incarnation: 'abc' } as const;
const position = { epoch: 3, seq: 4 };

/** One of every kind, as a happy life would bring them. */
export const examples = {
  creating: { kind: 'creating', creator },
  postponed: { kind: 'postponed', retryAt: at, reason: 'GitHub is away' },
  created: { kind: 'created', instanceId: 'i-1', githubRunnerId: 7 },
  progress: { kind: 'progress', text: 'pulling image x: 40 %' },
  failed: { kind: 'failed', failure: { class: 'quota', text: 'no more room' } },
  online: { kind: 'online', githubRunnerId: 7 },
  'seen-busy': { kind: 'seen-busy', githubRunnerId: 7 },
  'job-started': { kind: 'job-started', jobId: 'j-1', at, githubRunnerId: 7 },
  'job-completed': { kind: 'job-completed', position },
  exited: { kind: 'exited', code: 0, at },
  lost: { kind: 'lost', text: 'the provider does not list it' },
  marked: { kind: 'marked', mark: { ...mark, reason: 'operator' } },
  unmarked: { kind: 'unmarked' },
  deleting: { kind: 'deleting' },
} satisfies { [K in Observation['kind']]: Extract<Observation, { kind: K }> };

/** How far a state is in a life. A step back is one to a smaller number. */
export const progress: Record<RunnerState, number> = {
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
export const takesBack = (kind: Observation['kind']) => kind === 'postponed' || kind === 'unmarked';

export const anObservation: fc.Arbitrary<Observation> = fc.oneof(
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
    mark: fc.constantFrom<Mark>(
      mark,
      { ...mark, reason: 'completed', gate: 'none' },
      { ...mark, reason: 'registration-deadline' },
      { ...mark, reason: 'unregistered' },
    ),
  }),
  fc.record({
    kind: fc.constant('progress' as const),
    text: fc.constantFrom('pulling', 'pulled'),
  }),
);
export const aLife = fc.array(anObservation, { maxLength: 25 });

export function apply(runner: Runner, observation: Observation, when = at): Runner {
  const result = transition(runner, observation, when);
  return result.kind === 'refused' ? runner : result.runner;
}

/** Every step of a life: the runner before and after each observation. */
export function steps(life: readonly Observation[]) {
  let runner = aRunner();
  return life.map((observation) => {
    const before = runner;
    runner = apply(runner, observation);
    return { observation, before, after: runner };
  });
}
