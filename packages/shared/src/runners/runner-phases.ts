import type { Mark, Runner } from '../contracts/index.ts';
import { attributes, type SpanAttributes } from '../telemetry/index.ts';
import type { JobFacts } from './observation.ts';

/** A part of a runner's life; times in ms since 1970. */
export interface Phase {
  /** From the instance to the runner online, from there to its job, and the job. */
  name: 'boot' | 'idle' | 'job';
  startedAt: number;
  endedAt: number;
  attributes?: SpanAttributes;
  /** How the runner ended that never got further. */
  failure?: Failure | undefined;
}

type Failure = NonNullable<Runner['failure']>;

/**
 * The phases that a write of a runner's record brought to an end. Each ends with a fact that is written
 * once: that it was online, its job, that this is over. So whoever wrote it tells the phase, once. Pure.
 *
 * @param facts what the message said that brought the start or the end of the job
 */
export function phasesEnded(before: Runner, after: Runner, facts: Partial<JobFacts> = {}): Phase[] {
  const { onlineAt, job } = after;
  const phases: (Phase | undefined)[] = [];
  const jobAt = job && ms(facts.startedAt ?? job.startedAt);
  if (before.onlineAt === undefined) phases.push(bootOf(before, after, jobAt));
  if (!before.job && jobAt !== undefined && onlineAt !== undefined && ms(onlineAt) < jobAt) {
    phases.push({ name: 'idle', startedAt: ms(onlineAt), endedAt: jobAt });
  }
  const wasOver = before.job !== undefined && before.completedIn !== undefined;
  if (!wasOver && after.completedIn) phases.push(jobOf(before, after, facts));
  return phases.filter((phase) => phase !== undefined).map(forwards);
}

/** The phase that a runner was in when it went: undefined when that has been told. Pure. */
export function lastPhase(runner: Runner, goneAt: number): Phase | undefined {
  const { instanceAt, onlineAt, job, completedIn } = runner;
  if (completedIn) return undefined;
  const end = { endedAt: endOf(runner, goneAt), failure: failureOf(runner) };
  if (job) return forwards({ ...jobPhase(job), ...end });
  if (onlineAt !== undefined) return forwards({ name: 'idle', startedAt: ms(onlineAt), ...end });
  if (instanceAt === undefined) return undefined;
  return forwards({ name: 'boot', startedAt: ms(instanceAt), ...end });
}

/** A create that its creator did not end; `as` is the `traceparent` of its span. */
export interface LeftCreate {
  as: string;
  startedAt: number;
  endedAt: number;
  failure: Failure;
}

/** Of a runner that went: its create, if the creator was gone before it had ended that. Pure. */
export function leftCreate(runner: Runner, goneAt: number): LeftCreate | undefined {
  const { creator, instanceAt, failure, onlineAt, exit, mark } = runner;
  const span = creator?.span;
  if (!span || instanceAt !== undefined) return undefined;
  if (failure && !leftClasses.has(failure.class)) return undefined;
  const seen = onlineAt ?? exit?.at ?? mark?.at;
  return leftCreateOf(span, seen === undefined ? goneAt : ms(seen));
}

export function leftCreateOf(
  { traceparent: as, at }: NonNullable<NonNullable<Runner['creator']>['span']>,
  endedAt: number,
): LeftCreate {
  const failure = { class: 'interrupted', text: 'its creator ended before the create did' };
  return { as, startedAt: ms(at), endedAt: Math.max(ms(at), endedAt), failure };
}

/** Failures that are no end of a create. */
const leftClasses: ReadonlySet<string> = new Set(['interrupted', 'exited', 'lost']);

const failedReasons: ReadonlySet<Mark['reason']> = new Set([
  'create-failed',
  'exited',
  'lost',
  'offline',
  'registration-deadline',
  'stuck',
  'unregistered',
]);

/** What a runner failed with that is marked; undefined when it went because its work was done. */
export function failureOf({ mark, failure }: Runner): Failure | undefined {
  if (!mark || !failedReasons.has(mark.reason)) return undefined;
  return failure ?? { class: mark.reason, text: mark.text ?? `it was marked: ${mark.reason}` };
}

/**
 * The job may be heard of before anything else. Of one that came up before anybody could write down its
 * instance, it is only known that this was made since its create began.
 */
function bootOf(
  before: Runner,
  { instanceAt, onlineAt }: Runner,
  jobAt: number | undefined,
): Phase | undefined {
  const madeAt = instanceAt ?? (before.state === 'creating' ? before.stateAt : undefined);
  if (madeAt === undefined || onlineAt === undefined) return undefined;
  const endedAt = Math.min(ms(onlineAt), jobAt ?? ms(onlineAt));
  return { name: 'boot', startedAt: Math.min(ms(madeAt), endedAt), endedAt };
}

/**
 * GitHub's own times where it says them: a short job may begin and end with one message. The word that it is
 * over may be late, and GitHub gives up late on what was killed: its runner had ended by then.
 */
function jobOf(before: Runner, { job, exit }: Runner, facts: Partial<JobFacts>): Phase | undefined {
  if (!job) return undefined;
  const told = facts.finishedAt ?? facts.at ?? before.stateAt;
  const endedAt = Math.min(ms(told), ms(exit?.at ?? told));
  const { startedAt: heardAt, attributes: known } = jobPhase(job);
  const startedAt = facts.startedAt === undefined ? heardAt : ms(facts.startedAt);
  const said = {
    [attributes.jobName]: facts.name,
    [attributes.jobResult]: facts.result,
    [attributes.workflowRun]: facts.workflowRunId,
    [attributes.repository]: facts.repository,
  };
  return { name: 'job', startedAt, endedAt, attributes: { ...known, ...said } };
}

function jobPhase({ jobId, startedAt }: NonNullable<Runner['job']>) {
  return {
    name: 'job' as const,
    startedAt: ms(startedAt),
    attributes: { [attributes.jobId]: jobId },
  };
}

function endOf({ exit, mark, deletion }: Runner, goneAt: number): number {
  const seen = mark?.reason === 'lost' ? mark.at : deletion?.instanceDeletedAt;
  const end = exit?.at ?? seen;
  return end === undefined ? goneAt : Math.min(ms(end), goneAt);
}

/** Clocks of several hosts wrote its times. */
function forwards(phase: Phase): Phase {
  return { ...phase, endedAt: Math.max(phase.startedAt, phase.endedAt) };
}

function ms(at: string): number {
  return Date.parse(at);
}
