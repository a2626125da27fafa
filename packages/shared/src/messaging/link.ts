import { Counter, type Logger } from '../telemetry/index.ts';
import type { Clock } from '../time/index.ts';

interface LinkDeps {
  clock: Clock;
  log: Logger;
  /** Told while the connection is down. */
  health?: { report(part: string, reason: string | undefined): void };
}

/** A connection that is down is told of again so often, in ms. */
const tellEveryMs = 60_000;
/** What was asked before the connection came back has failed by then, in ms. */
const echoMs = 6_000;

/**
 * Whether a connection is up and since when. Tells when it goes, once a minute while it is away, and
 * when it is back: whatever else fails for that reason need not.
 */
export class Link {
  readonly reconnects = new Counter({
    name: 'baton_nats_reconnects_total',
    help: 'Times that the connection to NATS was lost and came back.',
  });
  readonly #deps: LinkDeps;
  #upSince: number | undefined;
  #downSince = 0;
  #returned = false;
  #telling = new AbortController();

  constructor(deps: LinkDeps) {
    this.#deps = deps;
    this.#upSince = deps.clock.monotonic();
    this.reconnects.add({}, 0);
  }

  get isUp(): boolean {
    return this.#upSince !== undefined;
  }

  /** How long it has been up without a break, in ms; 0 while it is down. */
  get upForMs(): number {
    return this.#upSince === undefined ? 0 : this.#deps.clock.monotonic() - this.#upSince;
  }

  /** How long it has been down, in ms; 0 while it is up. */
  get downForMs(): number {
    return this.#upSince === undefined ? this.#deps.clock.monotonic() - this.#downSince : 0;
  }

  /** Whether it is down, or so short back that what was asked before may still fail. */
  get disturbed(): boolean {
    return this.#upSince === undefined || (this.#returned && this.upForMs < echoMs);
  }

  lost(): void {
    if (this.#upSince === undefined) return;
    const { clock, log, health } = this.#deps;
    this.#upSince = undefined;
    this.#downSince = clock.monotonic();
    health?.report('nats', 'the connection to NATS is down');
    log.warn('nats connection lost');
    this.#telling = new AbortController();
    void this.#tell(this.#telling.signal);
  }

  back(): void {
    if (this.#upSince !== undefined) return;
    const { clock, log, health } = this.#deps;
    const afterMs = Math.round(this.downForMs);
    this.end();
    this.#upSince = clock.monotonic();
    this.#returned = true;
    this.reconnects.add({});
    health?.report('nats', undefined);
    log.info({ afterMs }, 'nats connection is back');
  }

  /** Tells no more. */
  end(): void {
    this.#telling.abort();
  }

  async #tell(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    for (;;) {
      await clock.sleep(tellEveryMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      log.warn({ downForMs: Math.round(this.downForMs) }, 'nats connection is still down');
    }
  }
}
