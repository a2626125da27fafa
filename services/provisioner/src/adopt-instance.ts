import type { Instance } from '@baton/providers';
import { type Runner, runnerIdOf, runnerKey, type Spec } from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import { recordInterruptedCreate } from '@baton/shared/runners';
import { withDeadline } from '@baton/shared/time';
import { type CreateDeps, providerOf } from './create-deps.ts';
import type { CreateResult } from './create-queue.ts';
import { failCreate, finishCreate } from './end-create.ts';

/** Longest time that a provider may take to list its instances where it does not say, in ms. */
const usualListMs = 10_000;

/**
 * Ends a create that somebody else began and will not end: what the provider's list shows is
 * adopted, a runner without an instance is given up. Safe to repeat; two who do it at once write the
 * same, and one who lists later may still adopt nothing that was given up: the record decides.
 */
export async function adoptOrGiveUp(
  deps: CreateDeps,
  spec: Spec,
  record: Runner,
  signal: AbortSignal,
): Promise<CreateResult> {
  const instance = await findInstance(deps, record, signal);
  if (!instance) {
    const text = 'its creator ended before the instance was made';
    await failCreate(deps, record, { class: 'interrupted', text });
    return 'nothing';
  }
  const { written } = await adopt(deps, spec, { record, instance, signal });
  if (written) recordInterruptedCreate(record, deps.clock.now());
  return 'nothing';
}

/**
 * Adopts an instance that lives, although the runner's record, from an old copy of the store, says that none
 * was asked for. Returns whether there is one. The provider is asked only when it listed one lately.
 */
export async function adoptIfThere(
  deps: CreateDeps,
  spec: Spec,
  record: Runner,
  signal: AbortSignal,
): Promise<boolean> {
  if (!(await deps.living?.has(record, signal))) return false;
  const instance = await findInstance(deps, record, signal);
  if (instance) await adopt(deps, spec, { record, instance, signal });
  return instance !== undefined;
}

/** The runner's instance as the provider lists it, whatever its create came to. */
export async function findInstance(
  deps: CreateDeps,
  record: Runner,
  signal: AbortSignal,
): Promise<Instance | undefined> {
  const provider = providerOf(deps, record);
  const { clock } = deps;
  const { listTimeoutMs: timeoutMs = usualListMs } = provider;
  const deadline = { clock, timeoutMs, what: 'list instances', signal };
  const instances = await withDeadline(deadline, (within) => provider.list(within));
  return instances.find(({ runnerId }) => runnerId === record.runnerId);
}

/**
 * Makes the instance that was found the runner's. Its name is the one under which it is registered: the
 * record may be an old copy, from before it got another.
 */
export async function adopt(
  deps: CreateDeps,
  spec: Spec,
  found: { record: Runner; instance: Instance; signal: AbortSignal },
): Promise<{ written: boolean }> {
  const { instance, signal } = found;
  const record = await withNameOf(deps, found.record, instance);
  const { client } = deps.github(spec.declaration.credential, spec.declaration.configUrl);
  const { instanceId } = instance;
  // Unknown to GitHub means that it has run its job already: the id is then of no use to anyone.
  const registered = await client.findRunnerByName(record.name, { signal });
  deps.log.info(
    { runnerId: record.runnerId, instanceId },
    'instance of an interrupted create adopted',
  );
  return await finishCreate(deps, record, { instanceId, githubRunnerId: registered?.id }, signal);
}

async function withNameOf(
  { runners }: CreateDeps,
  record: Runner,
  { runnerName: name }: Instance,
): Promise<Runner> {
  const { scaleSetId, runnerId, installationId } = record;
  if (name === record.name || runnerIdOf(name, installationId) !== runnerId) return record;
  const key = runnerKey(scaleSetId, runnerId);
  const entry = await runners.get(key);
  if (!entry) return record;
  const renamed = { ...entry.value, name };
  if ((await runners.update(key, renamed, entry.revision)) !== undefined) return renamed;
  throw new AppError('conflict', `runner ${key} was written by somebody else`, { retryable: true });
}
