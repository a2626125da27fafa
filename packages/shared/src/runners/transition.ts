import type { Mark, Position, Runner, RunnerState } from '../contracts/index.ts';

/** Something that was seen or done about a runner. Observations may come late, twice and in any order. */
export type Observation =
  /** `hostId`: of the provider that will make the instance, where it is of one host. */
  | {
      kind: 'creating';
      creator: NonNullable<Runner['creator']>;
      hostId?: string | undefined;
    }
  /** GitHub could not mint a JIT config: ask again later. Nothing exists yet. */
  | { kind: 'postponed'; retryAt: string; reason: string }
  | { kind: 'created'; instanceId: string; githubRunnerId: number | undefined }
  | { kind: 'failed'; failure: { class: string; text: string } }
  | { kind: 'online'; githubRunnerId: number }
  | { kind: 'job-started'; jobId: string; at: string; githubRunnerId?: number | undefined }
  | { kind: 'job-completed'; position: Position }
  /** The instance ended. A runner that exits with 0 had been online. */
  | { kind: 'exited'; code: number | undefined; at: string }
  | { kind: 'marked'; mark: Mark }
  /** GitHub says that it is busy: it must not go. */
  | { kind: 'unmarked' }
  | { kind: 'deleting' };

export type Transition =
  /** The state changed. */
  | { kind: 'moved'; runner: Runner }
  /** The observation came late: it is kept and changes no state. */
  | { kind: 'recorded'; runner: Runner }
  /** Nothing to write. Acknowledge and count it, never retry. */
  | { kind: 'refused' };

/** From which states an observation moves a runner on; anywhere else it is late, or refused. */
export const transitions: Record<Observation['kind'], { from: readonly RunnerState[] }> = {
  creating: { from: ['requested'] },
  postponed: { from: ['creating'] },
  created: { from: ['creating'] },
  failed: { from: ['requested', 'creating', 'starting'] },
  online: { from: ['creating', 'starting'] },
  'job-started': { from: ['creating', 'starting', 'idle'] },
  'job-completed': { from: ['creating', 'starting', 'idle', 'busy'] },
  exited: { from: ['creating', 'starting', 'idle', 'busy'] },
  marked: {
    from: ['requested', 'creating', 'starting', 'idle', 'busy', 'completed', 'failed', 'lost'],
  },
  unmarked: { from: ['marked', 'deleting'] },
  deleting: { from: ['marked'] },
};

/** Applies an observation to a runner. Pure; applying one twice is the same as once. */
export function transition(runner: Runner, observation: Observation, at: string): Transition {
  const moves = transitions[observation.kind].from.includes(runner.state);
  const known = learn(runner, observation);
  if (moves) {
    const state = nextState(observation, known);
    return { kind: 'moved', runner: { ...known, state, stateAt: at } };
  }
  return known === runner ? { kind: 'refused' } : { kind: 'recorded', runner: known };
}

function nextState(observation: Observation, known: Runner): RunnerState {
  switch (observation.kind) {
    case 'creating':
      return 'creating';
    case 'postponed':
      return 'requested';
    case 'created':
      return 'starting';
    case 'failed':
      return 'failed';
    case 'online':
      return 'idle';
    case 'job-started':
      return 'busy';
    case 'unmarked':
      return stateWithoutMark(known);
    case 'job-completed':
      return 'completed';
    case 'exited':
      return observation.code === 0 ? 'completed' : 'failed';
    case 'marked':
      return 'marked';
    case 'deleting':
      return 'deleting';
  }
}

/** Its job may have ended between GitHub's answer and this write; that is not seen a second time. */
function stateWithoutMark({ exit, completedIn }: Runner): RunnerState {
  if (exit && exit.code !== 0) return 'failed';
  return exit || completedIn ? 'completed' : 'busy';
}

/** What an observation teaches, whatever the state; the runner itself when it is nothing new. */
function learn(runner: Runner, observation: Observation): Runner {
  switch (observation.kind) {
    case 'creating':
      return runner.state === 'requested' ? withCreator(runner, observation) : runner;
    case 'deleting':
      return runner;
    case 'postponed':
      return runner.state === 'creating' ? { ...runner, retryAt: observation.retryAt } : runner;
    case 'created':
      return withIds(runner, observation);
    case 'online':
      return withIds(runner, observation);
    case 'failed':
      return runner.failure ? runner : { ...runner, failure: observation.failure };
    case 'job-started': {
      const { jobId, at: startedAt, githubRunnerId } = observation;
      const known = withIds(runner, { githubRunnerId });
      return runner.job ? known : { ...known, job: { jobId, startedAt } };
    }
    case 'job-completed':
      return runner.completedIn ? runner : { ...runner, completedIn: observation.position };
    case 'exited':
      return withExit(runner, observation);
    case 'marked':
      return runner.mark ? runner : { ...runner, mark: observation.mark };
    case 'unmarked':
      return withoutMark(runner);
  }
}

/** A create that was postponed may be taken up on another host. */
function withCreator(
  { hostId: _hostId, ...runner }: Runner,
  { creator, hostId }: Extract<Observation, { kind: 'creating' }>,
): Runner {
  return { ...runner, creator, ...(hostId === undefined ? {} : { hostId }) };
}

function withoutMark(runner: Runner): Runner {
  if (!runner.mark && !runner.deletion) return runner;
  const { mark: _mark, deletion: _deletion, ...rest } = runner;
  return rest;
}

function withIds(
  runner: Runner,
  { instanceId, githubRunnerId }: { instanceId?: string; githubRunnerId?: number | undefined },
): Runner {
  const newInstance = instanceId !== undefined && runner.instanceId === undefined;
  const newGithub = githubRunnerId !== undefined && runner.githubRunnerId === undefined;
  if (!newInstance && !newGithub) return runner;
  return {
    ...runner,
    ...(newInstance ? { instanceId } : {}),
    ...(newGithub ? { githubRunnerId } : {}),
  };
}

function withExit(runner: Runner, { code, at }: { code: number | undefined; at: string }): Runner {
  if (runner.exit) return runner;
  const exited = { ...runner, exit: code === undefined ? { at } : { code, at } };
  if (code === 0 || runner.failure) return exited;
  const text = `the runner ended with ${code === undefined ? 'an unknown code' : `code ${code}`}`;
  return { ...exited, failure: { class: 'exited', text } };
}
