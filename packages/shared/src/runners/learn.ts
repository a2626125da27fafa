import type { Position, Runner } from '../contracts/index.ts';
import type { Observation } from './observation.ts';

type Failure = NonNullable<Runner['failure']>;

/**
 * What an observation teaches, whatever the state and whichever came first; the runner itself when it
 * is nothing new. Facts are kept, not replaced, so that their order does not matter.
 */
export function learn(runner: Runner, observation: Observation, at: string): Runner {
  switch (observation.kind) {
    case 'creating':
      return runner.state === 'requested' ? withCreator(runner, observation) : runner;
    case 'postponed':
      return withPostponement(runner, observation);
    case 'created':
      return withInstance(withIds(runner, observation), at);
    case 'progress':
      return withProgress(runner, observation.text);
    case 'failed':
      return withFailure(runner, observation.failure);
    case 'online':
    case 'seen-busy':
      return cameOnline(withIds(runner, observation), at);
    case 'job-started':
      return withJob(cameOnline(withIds(runner, observation), at), observation);
    case 'job-completed':
      return withCompletion(runner, observation.position, at);
    case 'exited':
      return withExit(runner, observation);
    case 'lost':
      return withFailure(runner, { class: 'lost', text: observation.text });
    case 'marked':
      return runner.mark ? runner : { ...runner, mark: observation.mark };
    case 'unmarked':
      return withoutMark(runner, observation.kept);
    case 'deleting':
      return runner;
  }
}

/** A create that was postponed may be taken up on another host. */
function withCreator(
  { hostId: _hostId, ...runner }: Runner,
  { creator, hostId }: Extract<Observation, { kind: 'creating' }>,
): Runner {
  return { ...runner, creator, ...(hostId === undefined ? {} : { hostId }) };
}

function withPostponement(
  runner: Runner,
  { retryAt, reason }: { retryAt: string; reason: string },
): Runner {
  const { state, postponed } = runner;
  const known = runner.retryAt === retryAt && postponed?.reason === reason;
  if (state !== 'creating' && (state !== 'requested' || known)) return runner;
  const put = { retryAt, postponed: { reason, count: (postponed?.count ?? 0) + 1 } };
  return { ...runner, ...put, ...withoutSpan(runner) };
}

/** The span of a create that has ended is told. */
export function withoutSpan({ creator }: Runner): Pick<Runner, 'creator'> {
  if (!creator) return {};
  const { span: _span, ...who } = creator;
  return { creator: who };
}

function withoutMark(runner: Runner, kept: Runner['kept']): Runner {
  if (!runner.mark && !runner.deletion) return runner;
  const { mark: _mark, deletion: _deletion, ...rest } = runner;
  return kept ? { ...rest, kept } : rest;
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

function withInstance(runner: Runner, at: string): Runner {
  return runner.instanceAt === undefined ? { ...runner, instanceAt: at } : runner;
}

/** It is up: how far it had come is of no interest any more. */
function cameOnline(runner: Runner, at: string): Runner {
  if (runner.onlineAt !== undefined) return runner;
  const { progress: _progress, ...rest } = runner;
  return { ...rest, onlineAt: at };
}

function withProgress(runner: Runner, progress: string): Runner {
  return runner.onlineAt !== undefined || runner.progress === progress
    ? runner
    : { ...runner, progress };
}

function withJob(runner: Runner, { jobId, at }: { jobId: string; at: string }): Runner {
  return runner.job ? runner : { ...runner, job: { jobId, startedAt: at } };
}

function withCompletion(runner: Runner, completedIn: Position, completedAt: string): Runner {
  return runner.completedIn ? runner : { ...runner, completedIn, completedAt };
}

function withExit(
  runner: Runner,
  { code, at, problem }: Extract<Observation, { kind: 'exited' }>,
): Runner {
  if (runner.exit) return runner;
  const exited = { ...runner, exit: code === undefined ? { at } : { code, at } };
  if (code === 0) return exited;
  const end = `the runner ended with ${code === undefined ? 'an unknown code' : `code ${code}`}`;
  return withFailure(exited, {
    class: 'exited',
    text: problem === undefined ? end : `${end}: ${problem}`,
  });
}

/** The earliest cause is kept: what could not come up has ended for that reason, and is lost last. */
function withFailure(runner: Runner, failure: Failure): Runner {
  const known = runner.failure;
  return known && rank(known) >= rank(failure) ? runner : { ...runner, failure };
}

function rank({ class: what }: Failure): number {
  if (what === 'lost') return 0;
  return what === 'exited' ? 1 : 2;
}
