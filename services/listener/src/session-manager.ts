import type { Spec } from '@baton/shared/contracts';
import { listScaleSetIds, type SpecStore } from '@baton/shared/stores';
import { attributes, type Span, startSpan } from '@baton/shared/telemetry';
import { awaitSuccessor } from './hand-over.ts';
import type { ListenerDeps } from './listener-deps.ts';
import { Rebalancer } from './rebalancer.ts';
import { ScaleSetListener } from './scale-set-listener.ts';

interface Running {
  listener: ScaleSetListener;
  stop: AbortController;
  done: Promise<void>;
}

interface ManagerOptions {
  specs: SpecStore;
  /** A listener must have lived for so long before scale sets move to it, in ms. */
  rebalanceAfterMs: number;
}

/** It is looked for changed specs at least this often, in ms; hints make changes take effect at once. */
const passEveryMs = 10_000;
/** All specs are read at least this often, changed or not, in ms. */
const readAllEveryMs = 60_000;
/** Scale sets that are given up at the same time when the process ends. */
const drainAtOnce = 16;

/** Keeps one `ScaleSetListener` for every scale set that has a spec. */
export class SessionManager {
  readonly #deps: ListenerDeps;
  readonly #options: ManagerOptions;
  readonly #running = new Map<string, Running>();
  /** Aborted with a ConfigError when the process must not run at all. */
  readonly #fatal = new AbortController();
  #wakePass = new AbortController();
  #lastRead = { version: -1, at: Number.NEGATIVE_INFINITY };

  constructor(deps: ListenerDeps, options: ManagerOptions) {
    this.#deps = deps;
    this.#options = options;
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
    const stopped = AbortSignal.any([signal, this.#fatal.signal]);
    const rebalancer = new Rebalancer(
      { ...this.#deps, ...this.#options, log: this.#deps.log.child({ component: 'lease' }) },
      { polled: () => this.#polled(), handOver: (id) => this.#handOver(id) },
    );
    const rebalancing = rebalancer.run(stopped);
    while (!stopped.aborted) await this.#passAndWait(stopped);
    await this.#drain();
    await rebalancing;
    this.#fatal.signal.throwIfAborted();
  }

  async #passAndWait(stopped: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    this.#wakePass = new AbortController();
    await this.#pass(stopped).catch((err: unknown) => {
      log.warn({ err }, 'scale sets could not be read, trying again');
    });
    const waitMs = this.#running.size > 0 ? passEveryMs : 1_000;
    const woken = AbortSignal.any([stopped, this.#wakePass.signal]);
    await clock.sleep(waitMs, woken).catch(() => undefined);
  }

  async #pass(stopped: AbortSignal): Promise<void> {
    const { specs } = this.#options;
    const version = await specs.version();
    const at = this.#deps.clock.monotonic();
    if (version === this.#lastRead.version && at - this.#lastRead.at < readAllEveryMs) return;
    const found = await specs.getMany(await listScaleSetIds(specs));
    // New scale sets are shared out among the listeners of now.
    if (found.some(({ key }) => !this.#running.has(key))) await this.#deps.members.renew();
    if (stopped.aborted) return;
    const live = new Set(found.map(({ key }) => key));
    for (const { value } of found) this.#ensure(value);
    for (const [scaleSetId, { stop }] of this.#running) {
      if (!live.has(scaleSetId)) stop.abort(new Error('the spec was removed'));
    }
    this.#lastRead = { version, at };
  }

  #ensure(spec: Spec): void {
    const { scaleSetId } = spec;
    const known = this.#running.get(scaleSetId);
    if (known) {
      known.listener.update(spec);
      return;
    }
    const stop = new AbortController();
    const listener = new ScaleSetListener(this.#deps, spec, stop.signal);
    const done = listener
      .run()
      .catch((error: unknown) => this.#fatal.abort(error))
      .finally(() => this.#ended(scaleSetId));
    this.#running.set(scaleSetId, { listener, stop, done });
  }

  /** Nothing is told of what is gone; of what goes on elsewhere the counts stay, as counters must. */
  #ended(scaleSetId: string): void {
    this.#running.delete(scaleSetId);
    if (!this.#deps.draining.aborted) this.#deps.metrics.forget(scaleSetId);
  }

  #polled(): string[] {
    return [...this.#running].filter(([, { listener }]) => listener.polls).map(([id]) => id);
  }

  /** Lets a peer have a scale set that this process goes on to contend for. */
  async #handOver(scaleSetId: string): Promise<void> {
    const running = this.#running.get(scaleSetId);
    if (!running) return;
    const { epoch } = running.listener;
    const { draining: signal } = this.#deps;
    const span = startHandOver(scaleSetId, epoch);
    running.listener.handOver();
    endHandOver(span, await awaitSuccessor(this.#deps, { scaleSetId, epoch, signal }));
  }

  /**
   * Gives up everything, a few scale sets at a time: each goes on being polled until it is its turn,
   * so that a successor who gets hundreds serves each within its gap. All at once when the process
   * must not run, or when the budget is nearly used up.
   */
  async #drain(): Promise<void> {
    const { abort } = this.#deps;
    const reason = new Error('the listener drains');
    const polled = this.#polled();
    const inTurn = new Set(this.#fatal.signal.aborted ? [] : polled);
    const stopAll = () => {
      for (const { stop } of this.#running.values()) stop.abort(reason);
    };
    for (const [id, { stop }] of this.#running) if (!inTurn.has(id)) stop.abort(reason);
    abort.addEventListener('abort', stopAll, { once: true });
    if (abort.aborted) stopAll();
    // The others are told while polls go on.
    if (polled.length > 0) await this.#deps.peersLive();
    const worker = async () => {
      for (let id = polled.shift(); id !== undefined; id = polled.shift()) await this.#end(id);
    };
    await Promise.all(Array.from({ length: drainAtOnce }, worker));
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    abort.removeEventListener('abort', stopAll);
  }

  async #end(scaleSetId: string): Promise<void> {
    const running = this.#running.get(scaleSetId);
    if (!running) return;
    const { epoch } = running.listener;
    const span = startHandOver(scaleSetId, epoch);
    running.stop.abort(new Error('the listener drains'));
    await running.done;
    const handedOver = await this.#deps.peersLive();
    if (!handedOver) return;
    const { abort: signal } = this.#deps;
    endHandOver(span, await awaitSuccessor(this.#deps, { scaleSetId, epoch, signal }));
  }
}

function startHandOver(scaleSetId: string, epoch: number): Span {
  const told = { [attributes.scaleSet]: scaleSetId, [attributes.epoch]: epoch };
  return startSpan('hand over session', { parent: null, attributes: told });
}

/** `followed`: another listener was seen to poll. */
function endHandOver(span: Span, followed: boolean): void {
  if (!followed) span.fail(new Error('no other listener was seen to poll it in time'));
  span.end();
}
