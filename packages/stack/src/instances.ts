import {
  type ComputeProvider,
  createProvider,
  type Instance,
  type ProviderDefinition,
} from '@baton/providers';
import { isAborted, systemClock } from '@baton/shared/time';
import { installationId } from './stack-files.ts';

/** How long a runner may take to end when the stack is stopped, in ms. */
const stopTimeoutMs = 2_000;

/** What the provider has, by its own books. */
export async function listInstances(definition: ProviderDefinition): Promise<Instance[]> {
  return await (await open(definition)).list(new AbortController().signal);
}

/**
 * Ends every instance, running or not; once no service is left that would make more. `hurry` cuts
 * the time that they have for it short.
 */
export async function deleteInstances(
  definition: ProviderDefinition,
  hurry: AbortSignal = new AbortController().signal,
): Promise<void> {
  try {
    hurry.throwIfAborted();
    await deleteAll(await open(stoppingIn(definition, stopTimeoutMs)), hurry);
  } catch (error) {
    if (!isAborted(hurry)) throw error;
    const provider = await open(stoppingIn(definition, 0));
    await deleteAll(provider, new AbortController().signal);
  }
}

/** Providers that end runners themselves are told how patiently. */
function stoppingIn(definition: ProviderDefinition, stopTimeoutMs: number): ProviderDefinition {
  return definition.type === 'process' ? { ...definition, stopTimeoutMs } : definition;
}

async function deleteAll(provider: ComputeProvider, signal: AbortSignal): Promise<void> {
  const instances = await provider.list(signal);
  await Promise.all(instances.map(({ instanceId }) => provider.delete(instanceId, signal)));
}

async function open(definition: ProviderDefinition): Promise<ComputeProvider> {
  return await createProvider(definition, { installationId, clock: systemClock, env: {} });
}
