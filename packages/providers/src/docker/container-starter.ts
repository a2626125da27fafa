import { TimeoutError } from '@baton/shared/errors';
import { type Clock, withDeadline } from '@baton/shared/time';
import { finishing } from '../finishing.ts';
import type { CreateRequest } from '../provider.ts';
import { ProviderError } from '../provider-error.ts';
import { daemonBody, daemonName, runnerBody } from './container-body.ts';
import type { Containers } from './containers.ts';
import type { DindDefinition, DockerDefinition } from './definition.ts';
import { labelNames } from './labels.ts';
import type { ContainerSettings } from './settings.ts';
import { unlessAborted } from './unless-aborted.ts';

interface StarterOptions {
  definition: DockerDefinition;
  containers: Containers;
  clock: Clock;
}

interface Plan {
  request: CreateRequest;
  settings: ContainerSettings;
}

/** How long a name may be taken by a container that is not there yet, or no more, in ms. */
const nameTimeoutMs = 10_000;
const lookEveryMs = 100;
const cleanUpTimeoutMs = 30_000;
/** How long a caller that has given up may be held for what is being made, in ms. */
const longestLateMs = 2_000;

/**
 * Makes and starts the containers of a runner: the runner's own, whose name is the lock between
 * creators, then that of its daemon, which is started first. A crash in between leaves containers
 * that `list` shows as ended and `delete` finds by label.
 */
export class ContainerStarter {
  readonly #definition: DockerDefinition;
  readonly #containers: Containers;
  readonly #clock: Clock;

  constructor({ definition, containers, clock }: StarterOptions) {
    this.#definition = definition;
    this.#containers = containers;
    this.#clock = clock;
  }

  /**
   * Does nothing where a container of this runner exists: who made it starts it. Goes on when the
   * caller gives up, within its own time: what is made is started, or removed. Mostly that is done when
   * this rejects, so that the caller's next look shows it.
   */
  async start(plan: Plan, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const making = this.#make(plan);
    making.catch(() => undefined);
    await finishing({ clock: this.#clock, signal, lateMs: longestLateMs }, (within) =>
      unlessAborted(making, within),
    );
    signal.throwIfAborted();
  }

  async #make(plan: Plan): Promise<void> {
    const { startTimeoutMs, dind } = this.#definition;
    const daemon = plan.settings.dind ? dind : undefined;
    const timeoutMs = startTimeoutMs + (daemon?.readyTimeoutMs ?? 0);
    const limit = { clock: this.#clock, timeoutMs, what: 'start container' };
    const made: string[] = [];
    try {
      await withDeadline(limit, async (signal) => {
        const id = await this.#create(plan, signal);
        if (id === undefined) return;
        made.push(id);
        if (daemon) made.push(await this.#startDaemon(plan, daemon, signal));
        await this.#containers.start(id, signal);
      });
    } catch (error) {
      await this.#removeAll(made);
      throw error instanceof TimeoutError ? new ProviderError('transient', error.message) : error;
    }
  }

  async #create({ request, settings }: Plan, signal: AbortSignal): Promise<string | undefined> {
    const { runnerName: name, runnerId, installationId } = request;
    const body = runnerBody({ request, definition: this.#definition, settings });
    const startedAt = this.#clock.monotonic();
    while (this.#clock.monotonic() - startedAt < nameTimeoutMs) {
      const id = await this.#containers.create(name, body, signal);
      if (id !== undefined) return id;
      const holder = await this.#containers.inspect(name, signal);
      if (!holder) {
        await this.#clock.sleep(lookEveryMs, signal);
        continue;
      }
      const labels = holder.Config.Labels ?? {};
      if (
        labels[labelNames.installation] === installationId &&
        labels[labelNames.runnerId] === runnerId
      )
        return undefined;
      throw nameTaken(name);
    }
    throw nameTaken(name);
  }

  async #startDaemon({ request, settings }: Plan, dind: DindDefinition, signal: AbortSignal) {
    const body = daemonBody({ request, definition: this.#definition, settings }, dind);
    const name = daemonName(request.runnerName);
    const id = await this.#containers.create(name, body, signal);
    if (id === undefined) throw nameTaken(name);
    try {
      request.progress?.('waiting for its Docker daemon');
      await this.#containers.start(id, signal);
      await this.#untilReady(id, signal);
      return id;
    } catch (error) {
      await this.#removeAll([id]);
      throw error;
    }
  }

  async #untilReady(id: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const state = (await this.#containers.inspect(id, signal))?.State;
      const health = state?.Health?.Status;
      if (health === 'healthy') return;
      if (state?.Status !== 'running' || health === 'unhealthy')
        throw new ProviderError('transient', 'the Docker daemon of the runner did not come up');
      await this.#clock.sleep(lookEveryMs, signal);
    }
  }

  /** What cannot be removed now is seen by `list`. */
  async #removeAll(ids: readonly string[]): Promise<void> {
    const limit = { clock: this.#clock, timeoutMs: cleanUpTimeoutMs, what: 'remove containers' };
    await withDeadline(limit, async (signal) => {
      for (const id of ids) await this.#containers.remove(id, signal);
    }).catch(() => undefined);
  }
}

function nameTaken(name: string): ProviderError {
  const text = `the name ${name} belongs to a container that is not of this runner`;
  return new ProviderError('transient', text);
}
