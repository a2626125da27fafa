import { z } from 'zod';
import { ProviderError, type ProviderErrorClass } from '../provider-error.ts';

const machineSchema = z.looseObject({
  name: z.string(),
  tags: z.record(z.string(), z.string()),
  createdAt: z.iso.datetime(),
  state: z.enum(['booting', 'up', 'over']),
  exitCode: z.int().optional(),
  exitedAt: z.iso.datetime().optional(),
});

export type Machine = z.output<typeof machineSchema>;

interface NewMachine {
  tags: Record<string, string>;
  size: string;
  jitConfig: string;
}

/** The API of the place, checked. Every failure is a `ProviderError` without what was sent. */
export class PlaceClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Makes the machine unless one of that name exists. */
  async put(name: string, machine: NewMachine, signal: AbortSignal): Promise<void> {
    const body = JSON.stringify(machine);
    await this.#call(`/machines/${name}`, { method: 'PUT', body, signal });
  }

  /** The machines with this tag. */
  async list(tag: string, value: string, signal: AbortSignal): Promise<Machine[]> {
    const query = new URLSearchParams({ [tag]: value });
    const response = await this.#call(`/machines?${query.toString()}`, { method: 'GET', signal });
    const parsed = z.array(machineSchema).safeParse(await response.json());
    if (parsed.success) return parsed.data;
    throw new ProviderError('transient', `its answer is not understood: ${parsed.error.message}`);
  }

  /** Resolves when the machine is gone, or was not there. */
  async delete(name: string, signal: AbortSignal): Promise<void> {
    await this.#call(`/machines/${name}`, { method: 'DELETE', signal });
  }

  async #call(path: string, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
    const response = await this.#fetch(path, init);
    if (response.ok || response.status === 404) return response;
    throw new ProviderError(classOf(response.status), `the place answers ${response.status}`);
  }

  async #fetch(path: string, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
    try {
      return await fetch(new URL(path, this.#url), init);
    } catch (error) {
      init.signal.throwIfAborted();
      throw new ProviderError('transient', 'the place cannot be reached', { cause: error });
    }
  }
}

/** What an answer means for the caller: back off, tell an operator, try again. */
function classOf(status: number): ProviderErrorClass {
  if (status === 401 || status === 403) return 'denied';
  if (status === 422) return 'invalid-settings';
  if (status === 429 || status === 507) return 'quota';
  return status >= 500 ? 'transient' : 'bug';
}
