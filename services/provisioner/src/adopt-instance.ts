import type { Instance } from '@baton/providers';
import { type Runner, runnerKey, type Spec } from '@baton/shared/contracts';
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
  await adopt(deps, spec, { record, instance, signal });
  return 'nothing';
}

/**
 * Makes an instance the runner's that lives, although its record, from an old copy of the store, says that
 * none was asked for. Returns whether there is one. The provider is listed only when it was seen lately.
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

/** Makes the instance that was found the runner's. */
export async function adopt(
  deps: CreateDeps,
  spec: Spec,
  { record, instance, signal }: { record: Runner; instance: Instance; signal: AbortSignal },
): Promise<void> {
  const { client } = deps.github(spec.declaration.credential, spec.declaration.configUrl);
  const { instanceId } = instance;
  const named = await nameAs(deps, record, instance);
  if (!named) return;
  // Unknown to GitHub means that it has run its job already: the id is then of no use to anyone.
  const registered = await client.findRunnerByName(named.name, { signal });
  deps.log.info(
    { runnerId: record.runnerId, instanceId },
    'instance of an interrupted create adopted',
  );
  await finishCreate(deps, named, { instanceId, githubRunnerId: registered?.id }, signal);
}

/**
 * The record under the name that the instance was made with: that of an old copy of the store may be an
 * earlier one. Undefined when somebody else goes on with the runner.
 */
async function nameAs(
  { runners }: CreateDeps,
  record: Runner,
  { runnerName: name }: Instance,
): Promise<Runner | undefined> {
  if (record.name === name) return record;
  const key = runnerKey(record.scaleSetId, record.runnerId);
  const entry = await runners.get(key);
  if (entry?.value.state !== 'creating') return undefined;
  const named = { ...entry.value, name };
  return (await runners.update(key, named, entry.revision)) === undefined ? undefined : named;
}
