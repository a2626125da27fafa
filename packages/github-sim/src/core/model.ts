import type { Hold } from './hold.ts';
import type { MessageLog } from './message-log.ts';

export type JobStatus =
  | 'queued'
  | 'available'
  | 'assigned'
  | 'running'
  | 'completed'
  | 'failed'
  | 'canceled';

export interface Job {
  readonly id: string;
  readonly requestId: bigint;
  readonly runId: bigint;
  readonly queueKey: string;
  readonly labels: readonly string[];
  readonly owner: string;
  readonly repository: string;
  readonly durationMs: number;
  /** The result that its runner reports. */
  readonly result: string;
  /** When set, its runner ends with this exit code in the middle of the job. */
  readonly crashExitCode: number | undefined;
  /** How long the runner process stays after it has reported completion. */
  readonly lingerMs: number;
  status: JobStatus;
  /** Who cancelled it: a service cancellation is a job lost, a user's is not. */
  canceledBy: 'user' | 'service' | undefined;
  cancelRequested: boolean;
  /** The service has told that it is over, although its runner goes on. */
  announced: boolean;
  set: ScaleSet | undefined;
  runner: Runner | undefined;
  assignments: number;
  queuedAt: number;
  assignedAt: number | undefined;
  startedAt: number | undefined;
  completedAt: number | undefined;
  outcome: string | undefined;
}

export type RunnerAnswer =
  | { kind: 'job'; job: Job }
  | { kind: 'cancel' }
  | { kind: 'none' }
  | { kind: 'removed' };

export interface Runner {
  readonly id: number;
  readonly name: string;
  readonly set: ScaleSet;
  readonly secret: string;
  readonly createdAt: number;
  status: 'offline' | 'idle' | 'busy';
  /** When it came online, wall clock in ms. */
  onlineAt: number | undefined;
  hadJob: boolean;
  registered: boolean;
  /** Whether its process is told that the registration is gone. */
  told: boolean;
  /** The process that used the JIT config; a second one is refused. */
  instance: string | undefined;
  token: string | undefined;
  job: Job | undefined;
  /** Whether a job has been finished by it, so that a repeated report is accepted. */
  finished: boolean;
  held: { kind: 'wait' | 'watch'; hold: Hold<RunnerAnswer> } | undefined;
  /** Monotonic ms. */
  lastSeenAt: number;
}

export interface Statistics {
  totalAvailableJobs: number;
  totalAcquiredJobs: number;
  totalAssignedJobs: number;
  totalRunningJobs: number;
  totalRegisteredRunners: number;
  totalBusyRunners: number;
  totalIdleRunners: number;
}

export type PollAnswer =
  | { kind: 'message'; id: number; body: string; statistics: Statistics }
  | { kind: 'none' }
  | { kind: 'gone' }
  | { kind: 'unavailable'; status: number };

export interface HeldPoll {
  readonly hold: Hold<PollAnswer>;
  readonly cursor: number;
  readonly capacity: number;
  /** Who polls, where that is known. */
  readonly by?: string | undefined;
}

export interface Session {
  readonly id: string;
  readonly owner: string;
  readonly set: ScaleSet;
  readonly startedAt: number;
  /** Monotonic ms; creation counts as activity. */
  lastPollAt: number;
  polls: number;
  held: HeldPoll | undefined;
  ended: 'expired' | 'evicted' | 'deleted' | undefined;
}

export interface RunnerBehaviour {
  /** `exit`: leave at once with `exitCode`; `never-connect`: stay and do nothing. */
  mode: 'normal' | 'exit' | 'never-connect';
  exitCode: number;
  connectDelayMs: number;
}

/** What a test makes a scale set do that a healthy one would not. */
interface SetPlay {
  /** Polls are held, and nothing is assigned or delivered. */
  muted: boolean;
  /** Replaces numbers of the statistics. */
  statistics: Partial<Statistics>;
  /** Is added to numbers of the statistics. */
  drift: Partial<Statistics>;
  runner: RunnerBehaviour;
}

export interface JobQueue {
  readonly key: string;
  readonly labels: readonly string[];
  readonly jobs: Set<Job>;
  readonly sets: Set<ScaleSet>;
}

export interface ScaleSet {
  readonly id: number;
  readonly scope: string;
  name: string;
  runnerGroupId: number;
  labels: readonly string[];
  runnerSetting: Record<string, unknown>;
  readonly createdAt: number;
  readonly log: MessageLog;
  readonly play: SetPlay;
  session: Session | undefined;
  /** Queues whose jobs it may take. */
  readonly queues: Set<JobQueue>;
  /** Jobs offered and not acquired, by request id. */
  readonly available: Map<bigint, Job>;
  /** Jobs assigned and not started, oldest first. */
  readonly waiting: Set<Job>;
  readonly running: Set<Job>;
  /** Online runners without a job, and those of them that can be handed one now. */
  readonly idle: Set<Runner>;
  readonly ready: Set<Runner>;
  readonly busy: Set<Runner>;
}
