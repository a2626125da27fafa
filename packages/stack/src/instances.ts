import {
  type ComputeProvider,
  createProvider,
  type Instance,
  type ProviderDefinition,
} from '@baton/providers';
import { isAborted, systemClock } from '@baton/shared/time';

/** How long a runner may take to end when the stack is stopped, in ms. */
const stopTimeoutMs = 2_000;

interface Owner {
  definition: ProviderDefinition;
  installationId: string;
}

/** What the provider has, by its own books. */
export async function listInstances(owner: Owner): Promise<Instance[]> {
  return await (await open(owner)).list(new AbortController().signal);
}

/**
 * Ends every instance, running or not; once no service is left that would make more. `hurry` cuts
 * the time that they have for it short.
 */
export async function deleteInstances(
  owner: Owner,
  hurry: AbortSignal = new AbortController().signal,
): Promise<void> {
  try {
    hurry.throwIfAborted();
    await deleteAll(await open(owner, stopTimeoutMs), hurry);
  } catch (error) {
    if (!isAborted(hurry)) throw error;
    const provider = await open(owner, 0);
    await deleteAll(provider, new AbortController().signal);
  }
}

async function deleteAll(provider: ComputeProvider, signal: AbortSignal): Promise<void> {
  const instances = await provider.list(signal);
  await Promise.all(instances.map(({ instanceId }) => provider.delete(instanceId, signal)));
}

async function open(
  { definition, installationId }: Owner,
  stopTimeoutMs?: number,
): Promise<ComputeProvider> {
  const changed = stopTimeoutMs === undefined ? definition : { ...definition, stopTimeoutMs };
  return await createProvider(changed, { installationId, clock: systemClock, env: {} });
}
