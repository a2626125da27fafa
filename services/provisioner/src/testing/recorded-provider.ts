import type { ComputeProvider, CreateRequest, Instance } from '@baton/providers';
import { Secret } from '@baton/shared/config';
import { type Runner, runnerKey } from '@baton/shared/contracts';
import { observeRunner } from '@baton/shared/runners';
import type { RunnerStore } from '@baton/shared/stores';
import { isoNow, systemClock } from '@baton/shared/time';

/** What the records of all services say, by runner id. */
export type Book = Map<string, CreateRequest>;

/**
 * A provider as a service uses it: the runner's record is written before the instance is asked for, and
 * tells what the protocol does not carry. Names are those that services give.
 */
export class RecordedProvider implements ComputeProvider {
  readonly #inner: ComputeProvider;
  readonly #runners: RunnerStore;
  readonly #book: Book;

  constructor(inner: ComputeProvider, runners: RunnerStore, book: Book) {
    this.#inner = inner;
    this.#runners = runners;
    this.#book = book;
  }

  async create(request: CreateRequest, signal: AbortSignal): Promise<{ instanceId: string }> {
    signal.throwIfAborted();
    const known = this.#book.get(request.runnerId) ?? request;
    const runnerName = `baton-${request.installationId}-${request.runnerId}`;
    const named = { ...request, runnerName, jitConfig: asJitConfig(request.jitConfig) };
    if (/^[a-z0-9-]+$/.test(request.runnerId)) await this.#record(named);
    this.#book.set(request.runnerId, known);
    const made = await this.#inner.create(named, signal);
    await observeRunner({ runners: this.#runners, clock: systemClock }, request, {
      kind: 'created',
      instanceId: made.instanceId,
      githubRunnerId: undefined,
    });
    return made;
  }

  async list(signal: AbortSignal): Promise<Instance[]> {
    const instances = await this.#inner.list(signal);
    return instances.map((instance) => {
      const { runnerName, generation } = this.#book.get(instance.runnerId) ?? instance;
      return { ...instance, runnerName, generation };
    });
  }

  async delete(instanceId: string, signal: AbortSignal): Promise<void> {
    await this.#inner.delete(instanceId, signal);
    for (const [runnerId, { installationId }] of this.#book) {
      if (instanceId.includes(`-${installationId}-${runnerId}/`)) this.#book.delete(runnerId);
    }
  }

  async capacity(signal: AbortSignal): Promise<{ free: number }> {
    return await this.#inner.capacity(signal);
  }

  async #record({ runnerId, scaleSetId, runnerName: name, ...rest }: CreateRequest): Promise<void> {
    const at = isoNow(systemClock);
    const { installationId, generation } = rest;
    const record: Runner = {
      v: 1,
      installationId,
      scaleSetId,
      runnerId,
      name,
      provider: 'garm',
      generation,
      state: 'creating',
      createdAt: at,
      stateAt: at,
    };
    await this.#runners.put(runnerKey(scaleSetId, runnerId), record);
  }
}

/** A text as GitHub would wrap it up: in the credentials of a runner. */
export function asJitConfig(text: Secret): Secret {
  const base64 = (value: string) => Buffer.from(value).toString('base64');
  const files = {
    '.runner': base64('{"agentId":1}'),
    '.credentials': base64(text.reveal()),
    '.credentials_rsaparams': base64('{"modulus":"m"}'),
  };
  return new Secret(base64(JSON.stringify(files)));
}
