import {
  type ComputeProvider,
  createProvider,
  type Instance,
  type ProviderDefinition,
} from '@baton/providers';
import { isAborted, systemClock } from '@baton/shared/time';

/** The stack's provider, and which scale sets may have instances there. */
interface Place {
  installationId: string;
  provider: ProviderDefinition;
  scaleSetIds: ReadonlySet<string>;
}

/** How long a runner may take to end when the stack is stopped, in ms. */
const stopTimeoutMs = 2_000;

/** What the provider has, by its own books. */
export async function listInstances(place: Place): Promise<Instance[]> {
  return await (await open(place)).list(new AbortController().signal);
}

/**
 * Ends every instance, running or not; once no service is left that would make more. `hurry` cuts
 * the time that they have for it short.
 */
export async function deleteInstances(
  place: Place,
  hurry: AbortSignal = new AbortController().signal,
): Promise<void> {
  try {
    hurry.throwIfAborted();
    await deleteAll(await open(stoppingIn(place, stopTimeoutMs)), hurry);
  } catch (error) {
    if (!isAborted(hurry)) throw error;
    const provider = await open(stoppingIn(place, 0));
    await deleteAll(provider, new AbortController().signal);
  }
}

/** Providers that end runners themselves are told how patiently. */
function stoppingIn({ provider, ...place }: Place, stopTimeoutMs: number): Place {
  return {
    ...place,
    provider: 'stopTimeoutMs' in provider ? { ...provider, stopTimeoutMs } : provider,
  };
}

async function deleteAll(provider: ComputeProvider, signal: AbortSignal): Promise<void> {
  const instances = await provider.list(signal);
  await Promise.all(instances.map(({ instanceId }) => provider.delete(instanceId, signal)));
}

async function open({ installationId, provider, scaleSetIds }: Place): Promise<ComputeProvider> {
  return await createProvider(provider, {
    installationId,
    clock: systemClock,
    env: {},
    scaleSets: () => Promise.resolve([...scaleSetIds].map((id) => ({ id }))),
  });
}
