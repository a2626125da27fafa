import { Secret } from '@baton/shared/config';
import { z } from 'zod';
import { decimalId } from './json.ts';

/** What GitHub counts for a scale set; desired runners are computed from it. */
export interface Statistics {
  totalAvailableJobs: number;
  totalAcquiredJobs: number;
  totalAssignedJobs: number;
  totalRunningJobs: number;
  totalRegisteredRunners: number;
  totalBusyRunners: number;
  totalIdleRunners: number;
}

export interface ScaleSet {
  id: number;
  name: string;
  runnerGroupId: number;
  labels: readonly string[];
  runnerSetting: RunnerSetting;
  statistics: Statistics | undefined;
}

export interface RunnerSetting {
  ephemeral?: boolean | undefined;
  disableUpdate?: boolean | undefined;
}

export interface RunnerGroup {
  id: number;
  name: string;
  isDefault: boolean;
}

/** A runner as GitHub sees it. A field that is undefined is unknown; it never means "offline". */
export interface Runner {
  id: number;
  name: string;
  scaleSetId: number | undefined;
  /** `online`, `offline`, or a word that is not known yet. */
  status: string | undefined;
  busy: boolean | undefined;
  ephemeral: boolean | undefined;
  createdOn: string | undefined;
  version: string | undefined;
}

export interface Session {
  sessionId: string;
  ownerName: string;
  /** Absolute; its query belongs to it. */
  queueUrl: string;
  /** Lives for about an hour. */
  queueToken: Secret;
  /** The first demand signal after a start: jobs that came while nobody listened. */
  statistics: Statistics | undefined;
}

/** The answer to a JIT request: the runner that GitHub registered, and what it starts with. */
export interface JitConfig {
  runner: { id: number; name: string };
  encodedJitConfig: Secret;
}

const count = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);
const optional = <T>(schema: z.ZodType<T>) =>
  schema.nullish().transform((value) => value ?? undefined);
const id = z.number().int();

export const statisticsSchema: z.ZodType<Statistics> = z.object({
  totalAvailableJobs: count,
  totalAcquiredJobs: count,
  totalAssignedJobs: count,
  totalRunningJobs: count,
  totalRegisteredRunners: count,
  totalBusyRunners: count,
  totalIdleRunners: count,
});

const runnerSetting = z.object({
  ephemeral: optional(z.boolean()),
  disableUpdate: optional(z.boolean()),
});

/** The service spells `RunnerSetting` with a capital; both are read (actions/scaleset, types.go). */
export const scaleSetSchema = z
  .looseObject({
    id,
    name: z.string(),
    runnerGroupId: id.nullish(),
    labels: z.array(z.looseObject({ name: z.string() })).nullish(),
    RunnerSetting: runnerSetting.nullish(),
    runnerSetting: runnerSetting.nullish(),
    statistics: statisticsSchema.nullish(),
  })
  .transform(
    (raw): ScaleSet => ({
      id: raw.id,
      name: raw.name,
      runnerGroupId: raw.runnerGroupId ?? 0,
      labels: (raw.labels ?? []).map((label) => label.name),
      runnerSetting: raw.RunnerSetting ?? raw.runnerSetting ?? {},
      statistics: raw.statistics ?? undefined,
    }),
  );

export const runnerGroupSchema = z
  .looseObject({ id, name: z.string(), isDefaultGroup: z.boolean().nullish() })
  .transform(
    (raw): RunnerGroup => ({ id: raw.id, name: raw.name, isDefault: raw.isDefaultGroup ?? false }),
  );

export const runnerSchema = z
  .looseObject({
    id,
    name: z.string(),
    runnerScaleSetId: optional(id),
    status: optional(z.string()),
    busy: optional(z.boolean()),
    ephemeral: optional(z.boolean()),
    createdOn: optional(z.string()),
    version: optional(z.string()),
  })
  .transform(
    (raw): Runner => ({
      id: raw.id,
      name: raw.name,
      scaleSetId: raw.runnerScaleSetId,
      status: raw.status,
      busy: raw.busy,
      ephemeral: raw.ephemeral,
      createdOn: raw.createdOn,
      version: raw.version,
    }),
  );

export const sessionSchema = z
  .looseObject({
    sessionId: z.string().min(1),
    ownerName: z.string().nullish(),
    messageQueueUrl: z.string().nullish(),
    messageQueueAccessToken: z.string().nullish(),
    statistics: statisticsSchema.nullish(),
  })
  .transform(
    (raw): Session => ({
      sessionId: raw.sessionId,
      ownerName: raw.ownerName ?? '',
      queueUrl: raw.messageQueueUrl ?? '',
      queueToken: new Secret(raw.messageQueueAccessToken ?? ''),
      statistics: raw.statistics ?? undefined,
    }),
  );

export const jitConfigSchema = z
  .looseObject({
    runner: z.looseObject({ id, name: z.string() }),
    encodedJITConfig: z.string().min(1),
  })
  .transform(
    (raw): JitConfig => ({
      runner: { id: raw.runner.id, name: raw.runner.name },
      encodedJitConfig: new Secret(raw.encodedJITConfig),
    }),
  );

/** A list answer: `{count, value: […]}`. */
export function listOf<T>(item: z.ZodType<T>): z.ZodType<T[]> {
  return z.looseObject({ value: z.array(item).nullish() }).transform((raw) => raw.value ?? []);
}

export const acquiredIdsSchema = listOf(decimalId);
