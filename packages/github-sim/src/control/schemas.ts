import { z } from 'zod';

/** What the control API takes and gives, for the simulator and for `SimControl`. */
export const addJobsSchema = z.object({
  count: z.int().min(1).max(100_000).default(1),
  durationMs: z.number().min(0).default(1000),
  /** The scale set by name; otherwise any set that has all of `labels`. */
  scaleSet: z.string().optional(),
  labels: z.array(z.string()).optional(),
  /** `owner/name`. */
  repository: z.string().default('acme/app'),
  /** What its runner reports. */
  result: z.enum(['succeeded', 'failed']).default('succeeded'),
  /** The runner process ends with this code in the middle of the job. */
  crashExitCode: z.int().optional(),
  /** The runner process stays so long after it has reported completion. */
  lingerMs: z.number().min(0).default(0),
});

const statisticsSchema = z.object({
  totalAvailableJobs: z.int(),
  totalAcquiredJobs: z.int(),
  totalAssignedJobs: z.int(),
  totalRunningJobs: z.int(),
  totalRegisteredRunners: z.int(),
  totalBusyRunners: z.int(),
  totalIdleRunners: z.int(),
});

const someStatisticsSchema = z.object({
  totalAvailableJobs: z.int().exactOptional(),
  totalAcquiredJobs: z.int().exactOptional(),
  totalAssignedJobs: z.int().exactOptional(),
  totalRunningJobs: z.int().exactOptional(),
  totalRegisteredRunners: z.int().exactOptional(),
  totalBusyRunners: z.int().exactOptional(),
  totalIdleRunners: z.int().exactOptional(),
});

/** What is left out stays as it was. */
export const playSchema = z.object({
  muted: z.boolean().optional(),
  /** Replaces numbers of the statistics. `{}` ends it. */
  statistics: someStatisticsSchema.optional(),
  /** Is added to numbers of the statistics. `{}` ends it. */
  drift: someStatisticsSchema.optional(),
  runner: z
    .object({
      mode: z.enum(['normal', 'exit', 'never-connect']).default('normal'),
      exitCode: z.int().default(0),
      connectDelayMs: z.number().min(0).default(0),
    })
    .optional(),
  /** Begins again with the first message id; undeleted messages get new ids. */
  restartMessageIds: z.boolean().optional(),
  /** Job entries to put into the log as they are. */
  entries: z.array(z.record(z.string(), z.unknown())).optional(),
  /** Each entry becomes a message of its own. */
  apart: z.boolean().optional(),
});

/** What is left out stays as it was. */
export const registrySchema = z.object({
  /** The names of the groups besides `Default`: a place is a group, so another name there renames it. */
  runnerGroups: z.array(z.string()).optional(),
  /** Of the labels that are sent only so many are kept, without a word; null: all. */
  keptLabels: z.int().min(1).nullish(),
  /** Runners are told with their id, name and scale set only, as GitHub's own client reads them. */
  bareRunners: z.boolean().optional(),
});

export const tokenKindSchema = z.enum(['app', 'registration', 'admin', 'queue']);

export const personalTokenSchema = z.strictObject({ token: z.string().min(1) });

export const dropSchema = z.object({
  scaleSet: z.string().optional(),
  /** Busy runners too; their jobs fail. */
  busy: z.boolean().default(false),
  /** Whether the runner processes learn of it, and so end. */
  told: z.boolean().default(true),
});

/** Runners to be played: each comes online, and takes a job that waits, without a process of its own. */
export const playRunnersSchema = z.object({ names: z.array(z.string()).max(10_000) });

/** Runners to be registered in a scale set at once, as by as many JIT configs that nobody keeps. */
export const registerRunnersSchema = z.object({
  scaleSet: z.string(),
  names: z.array(z.string()).max(10_000),
});

export const outageSchema = z.object({
  ms: z.number().min(0),
  status: z.int().min(400).max(599).default(503),
});

const jobStatusSchema = z.enum([
  'queued',
  'available',
  'assigned',
  'running',
  'completed',
  'failed',
  'canceled',
]);

const jobCountsSchema = z.object({
  queued: z.int(),
  available: z.int(),
  assigned: z.int(),
  running: z.int(),
  completed: z.int(),
  failed: z.int(),
  canceled: z.int(),
  total: z.int(),
});

export const jobRecordSchema = z.object({
  id: z.string(),
  status: jobStatusSchema,
  result: z.string().nullable(),
  repository: z.string(),
  labels: z.array(z.string()),
  scaleSet: z.string().nullable(),
  assignments: z.int(),
  queuedAt: z.number(),
  assignedAt: z.number().nullable(),
  startedAt: z.number().nullable(),
  completedAt: z.number().nullable(),
  runnerName: z.string().nullable(),
});

export const booksSchema = z.object({
  jobs: jobCountsSchema,
  /** Neither completed nor cancelled by a user. */
  lostJobs: z.int(),
  runnersOnline: z.int(),
  jobsStarted: z.int(),
  duplicateRunners: z.int(),
  /** Those of `runnersOnline` that have had no job. */
  unusedRunners: z.array(
    z.object({
      name: z.string(),
      scaleSet: z.string(),
      /** Wall clock, ms. */
      registeredAt: z.number(),
      onlineAt: z.number(),
    }),
  ),
  registrations: z.array(z.string()),
  /** The longest time that a tracked scale set was without a held poll. */
  sessionGapMs: z.number(),
  sessionGapMsByScaleSet: z.record(z.string(), z.number()),
  sessionsCreated: z.int(),
  sessionConflicts: z.int(),
  messagesRedelivered: z.int(),
  /** By route: how many calls came, and how many were under way together at most. */
  traffic: z.record(z.string(), z.object({ calls: z.int(), mostAtOnce: z.int() })),
});

const journalEntrySchema = z.object({
  /** Counts from 1, without gaps: what is missing was forgotten. */
  number: z.int(),
  /** The simulator's wall clock, ms. */
  at: z.number(),
  /** Empty where a spoiled call was about none. */
  scaleSet: z.string(),
  event: z.enum([
    'held',
    'ended',
    'superseded',
    'delivered',
    'deleted',
    'asked',
    'opened',
    'conflict',
    'spoiled',
  ]),
  messageId: z.int().optional(),
  /** Of a held poll: null when it names none and is unlimited. */
  capacity: z.number().nullish(),
  /** Whose call it was, where its personal access token names somebody. */
  by: z.string().optional(),
  /** The session that was opened, or that was in the way. */
  session: z.string().optional(),
  /** Of a call that was spoiled: which, and how. */
  route: z.string().optional(),
  fault: z
    .object({
      kind: z.string(),
      status: z.int().optional(),
      ms: z.number().optional(),
      /** What its `Retry-After` says. */
      retryAfterMs: z.number().optional(),
    })
    .optional(),
});
export const journalSchema = z.object({ entries: z.array(journalEntrySchema) });

const sessionStateSchema = z.object({
  id: z.string(),
  owner: z.string(),
  /** ISO time. */
  since: z.string(),
  lastPollAgoMs: z.number(),
  polls: z.int(),
  held: z.boolean(),
  /** Null when nothing is held, or when the poll names none and is unlimited. */
  heldCapacity: z.number().nullable(),
});

export const stateSchema = z.object({
  dialect: z.enum(['github.com', 'ghes']),
  pollsHeld: z.int(),
  jobs: jobCountsSchema,
  scaleSets: z.array(
    z.object({
      id: z.int(),
      name: z.string(),
      scope: z.string(),
      runnerGroupId: z.int(),
      labels: z.array(z.string()),
      session: sessionStateSchema.nullable(),
      statistics: statisticsSchema,
      /** Undeleted messages. */
      messages: z.int(),
      muted: z.boolean(),
    }),
  ),
  runners: z.array(
    z.object({
      id: z.int(),
      name: z.string(),
      scaleSet: z.string(),
      status: z.enum(['offline', 'idle', 'busy']),
      /** Whether its JIT config has been used. */
      connected: z.boolean(),
      jobId: z.string().nullable(),
    }),
  ),
  faults: z.array(z.object({ id: z.string(), seen: z.int(), hits: z.int() })),
});

export type Registry = z.input<typeof registrySchema>;
export type AddJobs = z.input<typeof addJobsSchema>;
export type Play = z.input<typeof playSchema>;
export type DropRegistrations = z.input<typeof dropSchema>;
export type TokenKind = z.output<typeof tokenKindSchema>;
export type Books = z.output<typeof booksSchema>;
export type JournalEntry = z.output<typeof journalEntrySchema>;
export type JobRecord = z.output<typeof jobRecordSchema>;
export type SimState = z.output<typeof stateSchema>;
