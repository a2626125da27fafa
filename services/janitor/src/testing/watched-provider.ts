import type { ComputeProvider, CreateRequest, Instance } from '@baton/providers';

/** A provider as it is, but for what it hides; keeps a book of what it was asked. */
export class WatchedProvider implements ComputeProvider {
  /** The ids of instances that were to be deleted, in order. */
  readonly deleted: string[] = [];
  lists = 0;
  /** Its list is empty, whatever there is. */
  hides = false;
  /** It shows what it showed at first: also what was deleted since. */
  lingers = false;
  readonly hostId?: string;
  readonly #real: ComputeProvider;
  #shown: Instance[] | undefined;

  constructor(real: ComputeProvider) {
    this.#real = real;
    if (real.hostId !== undefined) this.hostId = real.hostId;
  }

  async create(request: CreateRequest, signal: AbortSignal): Promise<{ instanceId: string }> {
    return await this.#real.create(request, signal);
  }

  async list(signal: AbortSignal): Promise<Instance[]> {
    this.lists += 1;
    if (this.hides) return [];
    const listed = await this.#real.list(signal);
    this.#shown ??= listed;
    return this.lingers ? this.#shown : listed;
  }

  async delete(instanceId: string, signal: AbortSignal): Promise<void> {
    this.deleted.push(instanceId);
    await this.#real.delete(instanceId, signal);
  }

  async capacity(signal: AbortSignal): Promise<{ free: number }> {
    return await this.#real.capacity(signal);
  }
}
