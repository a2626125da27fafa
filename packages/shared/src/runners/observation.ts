import type { Mark, Position, Runner } from '../contracts/index.ts';

/** What messages say of a job: for the runner's trace, not for its record. */
export interface JobFacts {
  /** When GitHub told it. */
  at: string;
  /** By GitHub's own clock, as far as it says: its messages may come together, or late. */
  startedAt?: string | undefined;
  finishedAt?: string | undefined;
  result: string;
  name: string | undefined;
  repository: string | undefined;
  workflowRunId: string;
}

/** Something that was seen or done about a runner. Observations may come late, twice and in any order. */
export type Observation =
  /** `hostId`: of the provider that will make the instance, where it is of one host. */
  | { kind: 'creating'; creator: NonNullable<Runner['creator']>; hostId?: string | undefined }
  /** It could not be created now: ask again later. Nothing exists yet, and no JIT config was given. */
  | { kind: 'postponed'; retryAt: string; reason: string }
  | { kind: 'created'; instanceId: string; githubRunnerId: number | undefined }
  /** How far it is on its way up, or what keeps it; for people. */
  | { kind: 'progress'; text: string }
  /** It cannot be made, or its instance cannot come up. */
  | { kind: 'failed'; failure: { class: string; text: string } }
  | { kind: 'online'; githubRunnerId: number }
  /** GitHub's list says that it has a job; which one only a message tells. */
  | { kind: 'seen-busy'; githubRunnerId: number }
  | {
      kind: 'job-started';
      jobId: string;
      at: string;
      githubRunnerId?: number | undefined;
      facts?: Pick<JobFacts, 'startedAt'>;
    }
  | { kind: 'job-completed'; position: Position; facts?: JobFacts }
  /** The instance ended. A runner that exits with 0 had been online. */
  | { kind: 'exited'; code: number | undefined; at: string; problem?: string | undefined }
  /** The provider does not list its instance any more, and nobody saw it end. */
  | { kind: 'lost'; text: string }
  | { kind: 'marked'; mark: Mark }
  /** It runs a job, as GitHub says, or its provider still has it: it must not go. */
  | { kind: 'unmarked'; kept?: NonNullable<Runner['kept']> }
  | { kind: 'deleting' };
