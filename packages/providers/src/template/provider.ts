import { ConfigError } from '@baton/shared/errors';
import type { Clock } from '@baton/shared/time';
import { z } from 'zod';
import { finishing } from '../finishing.ts';
import type { ComputeProvider, CreateRequest, Instance, InstanceState } from '../provider.ts';
import type { ProviderDeps } from '../provider-deps.ts';
import { ProviderError } from '../provider-error.ts';
import { type TemplateDefinition, templateSettingsSchema } from './definition.ts';
import { type Machine, PlaceClient } from './place-client.ts';

/** Checks that the provider can work here, so that a mistake is told at the start of the service. */
export async function createTemplateProvider(
  definition: TemplateDefinition,
  { installationId, clock }: ProviderDeps,
): Promise<ComputeProvider> {
  const { maxInstances } = definition;
  const place = new PlaceClient(definition.url);
  const provider = new TemplateProvider({ place, installationId, maxInstances, clock });
  try {
    await provider.list(AbortSignal.timeout(10_000));
  } catch (error) {
    const message = `the template provider cannot use ${definition.url}: is it right, and up?`;
    throw new ConfigError(message, { cause: error });
  }
  return provider;
}

interface TemplateOptions {
  place: PlaceClient;
  installationId: string;
  maxInstances: number;
  clock: Clock;
}

/** How long a create that was called off may go on, in ms. */
const longestLateMs = 1_000;

/** Runners as machines of a place with an HTTP API. */
class TemplateProvider implements ComputeProvider {
  readonly #place: PlaceClient;
  readonly #installationId: string;
  readonly #maxInstances: number;
  readonly #clock: Clock;

  constructor({ place, installationId, maxInstances, clock }: TemplateOptions) {
    this.#place = place;
    this.#installationId = installationId;
    this.#maxInstances = maxInstances;
    this.#clock = clock;
  }

  /** The name makes it idempotent: the place keeps one machine of a name, whoever asks at once. */
  async create(request: CreateRequest, signal: AbortSignal): Promise<{ instanceId: string }> {
    signal.throwIfAborted();
    const { size } = this.#settingsOf(request);
    const { runnerId, runnerName, scaleSetId, installationId, generation, jitConfig } = request;
    const instanceId = `${installationId}-${runnerId}`;
    const tags = { runnerId, runnerName, scaleSetId, installationId, generation };
    const machine = { tags, size, jitConfig: jitConfig.reveal() };
    // Cut off, it might take effect later than a list that its caller looks at next.
    await finishing({ clock: this.#clock, signal, lateMs: longestLateMs }, (within) =>
      this.#place.put(instanceId, machine, within),
    );
    signal.throwIfAborted();
    return { instanceId };
  }

  async list(signal: AbortSignal): Promise<Instance[]> {
    const machines = await this.#place.list('installationId', this.#installationId, signal);
    return machines.map(toInstance);
  }

  /** An id that this installation never gave out is no instance of it: done. */
  async delete(instanceId: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const isOurs = /^[a-z0-9]+-[A-Za-z0-9-]+$/.test(instanceId);
    if (!isOurs || !instanceId.startsWith(`${this.#installationId}-`)) return;
    await this.#place.delete(instanceId, signal);
  }

  async capacity(signal: AbortSignal): Promise<{ free: number }> {
    const existing = await this.list(signal);
    return { free: Math.max(0, this.#maxInstances - existing.length) };
  }

  #settingsOf({ runnerId, installationId, settings }: CreateRequest): { size: string } {
    if (installationId !== this.#installationId || !/^[A-Za-z0-9-]+$/.test(runnerId))
      throw new ProviderError(
        'bug',
        'the request is not for this installation, or has no usable id',
      );
    const parsed = templateSettingsSchema.safeParse(settings);
    if (!parsed.success) throw new ProviderError('invalid-settings', z.prettifyError(parsed.error));
    return parsed.data ?? { size: 'small' };
  }
}

const states: Record<Machine['state'], InstanceState> = {
  booting: 'starting',
  up: 'running',
  over: 'exited',
};

function toInstance({ name, tags, createdAt, state, exitCode, exitedAt }: Machine): Instance {
  const { runnerId = '', runnerName = '', scaleSetId = '', generation = '' } = tags;
  return {
    instanceId: name,
    runnerId,
    runnerName,
    scaleSetId,
    generation,
    createdAt,
    state: states[state],
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(exitedAt === undefined ? {} : { exitedAt }),
  };
}
