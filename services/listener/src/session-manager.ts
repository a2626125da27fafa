import type { Spec } from '@baton/shared/contracts';
import { listScaleSetIds, type SpecStore } from '@baton/shared/stores';
import type { ListenerDeps } from './listener-deps.ts';
import { ScaleSetListener } from './scale-set-listener.ts';

interface Running {
  listener: ScaleSetListener;
  stop: AbortController;
  done: Promise<void>;
}

/** All specs are read again at least this often, in ms; hints make changes take effect at once. */
const passEveryMs = 10_000;

/** Keeps one `ScaleSetListener` for every scale set that has a spec. */
export class SessionManager {
  readonly #deps: ListenerDeps;
  readonly #specs: SpecStore;
  readonly #running = new Map<string, Running>();
  #wakePass = new AbortController();

  constructor(deps: ListenerDeps, specs: SpecStore) {
    this.#deps = deps;
    this.#specs = specs;
  }

  /** Makes the next pass come now. */
  wake(): void {
    this.#wakePass.abort();
  }

  /**
   * Runs until `signal` is aborted, then lets every scale set finish and hand over.
   * @throws ConfigError when the process must not run at all: its identity is taken.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    const fatal = new AbortController();
    const stopped = AbortSignal.any([signal, fatal.signal]);
    while (!stopped.aborted) {
      this.#wakePass = new AbortController();
      await this.#pass(stopped, fatal).catch((err: unknown) => {
        log.warn({ err }, 'scale sets could not be read, trying again');
      });
      const waitMs = this.#running.size > 0 ? passEveryMs : 1_000;
      const woken = AbortSignal.any([stopped, this.#wakePass.signal]);
      await clock.sleep(waitMs, woken).catch(() => undefined);
    }
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    if (fatal.signal.aborted) throw fatal.signal.reason;
  }

  async #pass(stopped: AbortSignal, fatal: AbortController): Promise<void> {
    const ids = await listScaleSetIds(this.#specs);
    const specs = await this.#specs.getMany(ids);
    // New scale sets are shared out among the listeners of now.
    if (specs.some(({ key }) => !this.#running.has(key))) await this.#deps.members.renew();
    const live = new Set(specs.map(({ key }) => key));
    for (const { value } of specs) this.#ensure(value, stopped, fatal);
    for (const [scaleSetId, { stop }] of this.#running) {
      if (!live.has(scaleSetId)) stop.abort(new Error('the spec was removed'));
    }
  }

  #ensure(spec: Spec, stopped: AbortSignal, fatal: AbortController): void {
    const { scaleSetId } = spec;
    const known = this.#running.get(scaleSetId);
    if (known) {
      known.listener.update(spec);
      return;
    }
    const stop = new AbortController();
    const listener = new ScaleSetListener(
      this.#deps,
      spec,
      AbortSignal.any([stopped, stop.signal]),
    );
    const done = listener
      .run()
      .catch((error: unknown) => fatal.abort(error))
      .finally(() => this.#running.delete(scaleSetId));
    this.#running.set(scaleSetId, { listener, stop, done });
  }
}
