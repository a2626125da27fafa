import { z } from 'zod';
import {
  buckets,
  deletedRunnerKeptMs,
  memberSchema,
  planSchema,
  registrationSchema,
  runnerSchema,
  type Spec,
  sessionRecordSchema,
  specSchema,
  statusSchema,
  sweepConfirmationSchema,
  sweepStateSchema,
} from '../contracts/index.ts';
import { AppError } from '../errors/index.ts';
import { leaseSchema } from '../lease/index.ts';
import { KvBucket, KvCopy, type Nats, patiently } from '../messaging/index.ts';
import { sealedSchema } from '../sealing/index.ts';

/** The key in `specs` that says whose buckets these are. */
const installationKey = '_installation';
const installationSchema = z.looseObject({ v: z.literal(1), installationId: z.string() });

export const openSpecs = (nats: Nats) => KvBucket.open(nats, buckets.specs, specSchema);
export const openLeases = (nats: Nats) => KvBucket.open(nats, buckets.leases, leaseSchema);
export const openMembers = (nats: Nats) => KvBucket.open(nats, buckets.members, memberSchema);
export const openRegistrations = (nats: Nats) =>
  KvBucket.open(nats, buckets.registrations, registrationSchema);
export const openSessions = (nats: Nats) =>
  KvBucket.open(nats, buckets.sessions, sessionRecordSchema);
export const openStatus = (nats: Nats) => KvBucket.open(nats, buckets.status, statusSchema);
export const openPlans = (nats: Nats) => KvBucket.open(nats, buckets.plans, planSchema);
export const openRunners = (nats: Nats) => KvBucket.open(nats, buckets.runners, runnerSchema);
/** What an instance fetches to become its runner, sealed; gone once the runner is registered. */
export const openJit = (nats: Nats) => KvBucket.open(nats, buckets.jit, sealedSchema);

/** What became of the sweeps, by `sweepKey`; in the same bucket lies what operators confirmed. */
export const openSweeps = (nats: Nats) => KvBucket.open(nats, buckets.sweeps, sweepStateSchema);
export const openSweepConfirmations = (nats: Nats) =>
  KvBucket.open(nats, buckets.sweeps, sweepConfirmationSchema);

export type SpecStore = Awaited<ReturnType<typeof openSpecs>>;
export type MemberStore = Awaited<ReturnType<typeof openMembers>>;
export type RegistrationStore = Awaited<ReturnType<typeof openRegistrations>>;
export type SessionStore = Awaited<ReturnType<typeof openSessions>>;
export type StatusStore = Awaited<ReturnType<typeof openStatus>>;
export type PlanStore = Awaited<ReturnType<typeof openPlans>>;
export type RunnerStore = Awaited<ReturnType<typeof openRunners>>;
export type SweepStore = Awaited<ReturnType<typeof openSweeps>>;
export type SweepConfirmationStore = Awaited<ReturnType<typeof openSweepConfirmations>>;
export type JitStore = Awaited<ReturnType<typeof openJit>>;

/** A copy of all runner records, to be brought up to date by whoever reads it. One for each process. */
export const copyRunners = (nats: Nats, runners: RunnerStore) =>
  new KvCopy(runners, nats, { deletedKeptMs: deletedRunnerKeptMs });

export type RunnerCopy = ReturnType<typeof copyRunners>;

/** The ids of all scale sets that have a spec. */
export async function listScaleSetIds(specs: SpecStore): Promise<string[]> {
  return (await specs.keys()).filter((key) => key !== installationKey);
}

/** Claims the buckets for an installation; safe to repeat. */
export async function claimInstallation(nats: Nats, installationId: string): Promise<void> {
  const bucket = await KvBucket.open(nats, buckets.specs, installationSchema);
  await bucket.create(installationKey, { v: 1, installationId });
  await verifyInstallation(nats, installationId);
}

/** @throws AppError `config` when the buckets belong to another installation, or to none. */
export async function verifyInstallation(nats: Nats, installationId: string): Promise<void> {
  const bucket = await KvBucket.open(nats, buckets.specs, installationSchema);
  refuseOthers(await bucket.get(installationKey), installationId);
}

/**
 * The same at the start of a service, which has seen the buckets already: waits some seconds for an answer.
 * @throws AppError `config` when the buckets belong to another installation, or to none.
 */
export async function awaitInstallation(nats: Nats, installationId: string): Promise<void> {
  const bucket = await KvBucket.open(nats, buckets.specs, installationSchema);
  const entry = await patiently(nats, () => bucket.get(installationKey), isFinal);
  refuseOthers(entry, installationId);
}

function refuseOthers(
  entry: { value: { installationId: string } } | undefined,
  installationId: string,
): void {
  const owner = entry?.value.installationId;
  if (owner === installationId) return;
  throw new AppError(
    'config',
    owner
      ? `these NATS buckets belong to installation "${owner}", not to "${installationId}": set BATON_INSTALLATION_ID or use another NATS account`
      : 'these NATS buckets belong to no installation yet: run "baton topology apply"',
  );
}

function isFinal(error: unknown): boolean {
  return !(error instanceof AppError && error.retryable);
}

/** What the scale sets that are to be served declare; see `listServed`. */
export async function listDeclared(
  specs: SpecStore,
  nameOrId?: string,
): Promise<Spec['declaration'][]> {
  return (await listServed(specs, nameOrId)).map(({ declaration }) => declaration);
}

/**
 * The scale sets that are to be served: all of them, or the one with this name or id. One that is
 * being deleted needs nothing any more.
 */
export async function listServed(specs: SpecStore, nameOrId?: string): Promise<Spec[]> {
  const entries = await specs.getMany(await listScaleSetIds(specs));
  return entries
    .filter(({ value }) => value.declaration.enabled && !value.deleting)
    .filter(
      ({ key, value }) =>
        nameOrId === undefined || nameOrId === key || nameOrId === value.declaration.name,
    )
    .map(({ value }) => value);
}
