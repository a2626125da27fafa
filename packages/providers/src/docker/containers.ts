import type { Clock } from '@baton/shared/time';
import { z } from 'zod';
import type { EngineClient } from './engine-client.ts';
import {
  type ContainerSummary,
  createdSchema,
  type Inspection,
  inspectionSchema,
  summarySchema,
} from './engine-schemas.ts';
import { labelNames } from './labels.ts';

interface ContainersOptions {
  engine: EngineClient;
  installationId: string;
  clock: Clock;
}

interface Found {
  containers: ContainerSummary[];
  /** By the engine's clock. */
  nowMs: number;
}

/** How often is looked whether something is gone that another one is removing, in ms. */
const lookEveryMs = 50;

/** The calls about containers; it finds only those of its installation. */
export class Containers {
  readonly #engine: EngineClient;
  readonly #installationId: string;
  readonly #clock: Clock;

  constructor({ engine, installationId, clock }: ContainersOptions) {
    this.#engine = engine;
    this.#installationId = installationId;
    this.#clock = clock;
  }

  /** All of the installation, or of one runner, running or not. */
  async find(signal: AbortSignal, runnerId?: string): Promise<Found> {
    const label = [`${labelNames.installation}=${this.#installationId}`];
    if (runnerId !== undefined) label.push(`${labelNames.runnerId}=${runnerId}`);
    const query = { all: true, filters: JSON.stringify({ label }) };
    const { body, answeredAtMs } = await this.#engine.call(
      { method: 'GET', path: '/containers/json', query },
      signal,
    );
    return {
      containers: z.array(summarySchema).parse(body),
      nowMs: answeredAtMs ?? this.#clock.now(),
    };
  }

  /** By id or name; undefined when there is none. */
  async inspect(container: string, signal: AbortSignal): Promise<Inspection | undefined> {
    const path = `/containers/${encodeURIComponent(container)}/json`;
    const { status, body } = await this.#engine.call(
      { method: 'GET', path, expect: [404] },
      signal,
    );
    return status === 404 ? undefined : inspectionSchema.parse(body);
  }

  /** The id; undefined when the name is taken. */
  async create(name: string, body: unknown, signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.#engine.call(
      { method: 'POST', path: '/containers/create', query: { name }, body, expect: [409] },
      signal,
    );
    return answer.status === 409 ? undefined : createdSchema.parse(answer.body).Id;
  }

  async start(id: string, signal: AbortSignal): Promise<void> {
    await this.#engine.call({ method: 'POST', path: `/containers/${id}/start` }, signal);
  }

  /** SIGTERM, and SIGKILL when it takes longer. Resolves when it has ended, or is gone. */
  async stop(id: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const query = { t: Math.ceil(timeoutMs / 1_000) };
    const path = `/containers/${id}/stop`;
    await this.#engine.call({ method: 'POST', path, query, expect: [404] }, signal);
  }

  /**
   * Kills what still runs and takes the container away, with the volumes that were made for it. When
   * it resolves nothing is left, also when others remove it at the same time.
   */
  async remove(id: string, signal: AbortSignal): Promise<void> {
    const call = {
      method: 'DELETE',
      path: `/containers/${id}`,
      query: { force: true, v: true },
      expect: [404, 409],
    } as const;
    // 409: its removal is under way.
    while ((await this.#engine.call(call, signal)).status === 409)
      await this.#clock.sleep(lookEveryMs, signal);
  }
}
