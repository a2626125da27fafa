import type { Instance } from '@baton/providers';
import type { Runner, Spec } from '@baton/shared/contracts';
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
  // Unknown to GitHub means that it has run its job already: the id is then of no use to anyone.
  const registered = await client.findRunnerByName(record.name, { signal });
  deps.log.info(
    { runnerId: record.runnerId, instanceId },
    'instance of an interrupted create adopted',
  );
  await finishCreate(deps, record, { instanceId, githubRunnerId: registered?.id }, signal);
}
