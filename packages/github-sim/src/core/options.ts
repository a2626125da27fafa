/** How the simulated GitHub behaves. All durations in ms. */
export interface SimOptions {
  /** The personal access token that it accepts. */
  token: string;
  /** `github.com` assigns by itself; `ghes` offers jobs, which must be acquired. */
  dialect: 'github.com' | 'ghes';
  /** How a held session is refused: with type name and owner, or as in GARM issue 700. */
  conflictWording: 'type-name-and-owner' | 'message-only';
  /** What PATCH and DELETE of an ended session answer; `by-reason` is 404 when it was evicted. */
  endedSessionAnswer: 'by-reason' | '400' | '404';
  /** What becomes of jobs that were assigned and not started when their session ends. */
  endedSessionJobs: 'replay' | 'retract';
  /** Which `runnerRequestId` the github.com dialect writes. */
  requestIds: 'zero-on-assigned' | 'zero' | 'real';
  /** Whether a message carries the statistics of when it was written or of each delivery. */
  messageStatistics: 'as-written' | 'as-delivered';
  /** Whether no more jobs are given than a poll's capacity; some Enterprise Servers offer all. */
  capacityHeeded: boolean;
  startedWakesPoll: boolean;
  assignedWakesPoll: boolean;
  completedWakesPoll: boolean;
  /** Whether bodies of the Actions service begin with a byte order mark. */
  byteOrderMark: boolean;
  sessionExpiryMs: number;
  pollHoldMs: number;
  registrationTokenMs: number;
  adminTokenMs: number;
  queueTokenMs: number;
  appTokenMs: number;
  /** How long a runner's connection may be gone before the runner counts as dead. */
  runnerOfflineMs: number;
  /** How long a runner's own long polls are held. */
  runnerPollMs: number;
  reassignMs: number;
  /** An idle runner's registration is removed after this long; 0: never. */
  idleRunnerMs: number;
  /** Names of runner groups besides `Default`; their ids count from 2. */
  runnerGroups: readonly string[];
  /** Decides the dice of faults with a probability. */
  seed: number;
}

export const defaultOptions: SimOptions = {
  token: 'sim-token',
  dialect: 'github.com',
  conflictWording: 'type-name-and-owner',
  endedSessionAnswer: 'by-reason',
  endedSessionJobs: 'replay',
  requestIds: 'zero-on-assigned',
  messageStatistics: 'as-written',
  capacityHeeded: true,
  startedWakesPoll: false,
  assignedWakesPoll: true,
  completedWakesPoll: true,
  byteOrderMark: false,
  sessionExpiryMs: 75_000,
  pollHoldMs: 50_000,
  registrationTokenMs: 3_600_000,
  adminTokenMs: 3_600_000,
  queueTokenMs: 3_600_000,
  appTokenMs: 3_600_000,
  runnerOfflineMs: 570_000,
  runnerPollMs: 30_000,
  reassignMs: 300_000,
  idleRunnerMs: 0,
  runnerGroups: [],
  seed: 1,
};
