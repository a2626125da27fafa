import { type Mark, type Runner, type RunnerState, runnerStates } from '../contracts/index.ts';
import { learn } from './learn.ts';
import type { Observation } from './observation.ts';

export type Transition =
  /** The state changed. */
  | { kind: 'moved'; runner: Runner }
  /** The observation came late: it is kept and changes no state. */
  | { kind: 'recorded'; runner: Runner }
  /** Nothing to write. Acknowledge and count it, never retry. */
  | { kind: 'refused' };

interface Move {
  /** In any other state the observation is late, or refused. */
  from: readonly RunnerState[];
  /** Which of them depends on how the runner ended. */
  to: readonly RunnerState[];
}

const unmarked = runnerStates.filter((state) => state !== 'marked' && state !== 'deleting');

/** From which states an observation moves a runner on, and where to. Published in docs/runner-life.md. */
export const transitions: Readonly<Record<Observation['kind'], Move>> = {
  creating: { from: ['requested'], to: ['creating'] },
  postponed: { from: ['creating'], to: ['requested'] },
  created: { from: ['creating'], to: ['starting'] },
  progress: { from: [], to: [] },
  failed: { from: ['requested', 'creating', 'starting'], to: ['failed'] },
  online: { from: ['creating', 'starting'], to: ['idle'] },
  'seen-busy': { from: ['creating', 'starting', 'idle'], to: ['busy'] },
  'job-started': { from: ['creating', 'starting', 'idle'], to: ['busy'] },
  'job-completed': { from: ['creating', 'starting', 'idle', 'busy'], to: ['completed'] },
  exited: { from: ['creating', 'starting', 'idle', 'busy'], to: ['completed', 'failed'] },
  lost: { from: ['creating', 'starting', 'idle', 'busy'], to: ['lost'] },
  marked: { from: unmarked, to: ['marked'] },
  unmarked: { from: ['marked', 'deleting'], to: ['busy', 'completed', 'failed'] },
  deleting: { from: ['marked'], to: ['deleting'] },
};

const alive = ['starting', 'idle', 'busy'] as const;
const unused = ['requested', 'creating', 'starting', 'idle'] as const;

/**
 * Marks that were decided about a runner in these states, and mean nothing for one that has got into
 * another since. All other reasons mark whatever is not marked yet.
 */
export const marksFrom: Readonly<Partial<Record<Mark['reason'], readonly RunnerState[]>>> = {
  surplus: unused,
  rotation: unused,
  'registration-deadline': ['requested', 'creating', 'starting'],
  unregistered: alive,
  stuck: ['requested', 'creating'],
  offline: ['idle', 'busy'],
  orphan: alive,
};

/** Applies an observation to a runner. Pure; applying one twice is the same as once. */
export function transition(runner: Runner, observation: Observation, at: string): Transition {
  const moves = transitions[observation.kind].from.includes(runner.state);
  // Put off meanwhile, by who looked before.
  const tooEarly = runner.retryAt !== undefined && runner.retryAt > at;
  if (observation.kind === 'creating' && moves && tooEarly) return { kind: 'refused' };
  if (observation.kind === 'marked' && moves && !isMarkable(runner, observation.mark)) {
    return { kind: 'refused' };
  }
  const known = learn(runner, observation, at);
  if (moves) {
    const state = nextState(observation, known);
    return { kind: 'moved', runner: { ...known, state, stateAt: at } };
  }
  return known === runner ? { kind: 'refused' } : { kind: 'recorded', runner: known };
}

function isMarkable({ state }: Runner, { reason, gate }: Mark): boolean {
  // The gate of one that nobody had begun to make.
  if (reason === 'stuck' && gate === 'none' && state !== 'requested') return false;
  return marksFrom[reason]?.includes(state) ?? true;
}

function nextState(observation: Observation, known: Runner): RunnerState {
  if (observation.kind === 'unmarked') return stateWithoutMark(known);
  if (observation.kind === 'exited') return observation.code === 0 ? 'completed' : 'failed';
  return transitions[observation.kind].to[0] ?? known.state;
}

/** Its job may have ended between GitHub's answer and this write; that is not seen a second time. */
function stateWithoutMark({ exit, completedIn }: Runner): RunnerState {
  if (exit && exit.code !== 0) return 'failed';
  return exit || completedIn ? 'completed' : 'busy';
}
