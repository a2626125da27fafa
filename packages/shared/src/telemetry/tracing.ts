import { performance } from 'node:perf_hooks';
import { errorText } from '../errors/index.ts';
import { type Clock, withDeadline } from '../time/index.ts';
import type { Logger } from './logger.ts';
import type { Counter } from './metrics.ts';
import type { Sdk } from './otel-sdk.ts';
import { spanClock } from './span-clock.ts';
import { SpanOutlet } from './span-outlet.ts';
import { makeSpansWith } from './spans.ts';
import type { TracesSettings } from './traces-settings.ts';
import { whenCalm } from './when-calm.ts';

interface TracingOptions {
  settings: TracesSettings;
  /** What all spans say of their origin. */
  resource: Record<string, string | number>;
  /** What became of spans. */
  spans: Counter<'outcome'>;
  clock: Clock;
  log: Logger;
}

/** The start of a process is over by then, in ms after it is ready, whatever is still under way. */
const startIsOverMs = 5_000;

/**
 * Traces of a process. At first there are only ids and the active span (30 ms to load); spans that are
 * over are kept. OpenTelemetry's SDK, which takes ten times that, comes when the start is over.
 */
export class Tracing {
  readonly #options: TracingOptions;
  readonly #outlet: SpanOutlet;
  readonly #ending = new AbortController();
  #sdk: Promise<Sdk | undefined> | undefined;

  private constructor(options: TracingOptions) {
    const { settings, spans } = options;
    this.#options = options;
    this.#outlet = new SpanOutlet({ size: settings.queueSize, spans });
  }

  /** From now on spans are made. */
  static async begin(options: TracingOptions): Promise<Tracing> {
    const tracing = new Tracing(options);
    const { OtelSpanMaker } = await import('./otel-span-maker.ts');
    const { sampling } = options.settings;
    const now = spanClock(options.clock);
    makeSpansWith(
      new OtelSpanMaker({ sampling, now, tell: (facts) => tracing.#outlet.tell(facts) }),
    );
    return tracing;
  }

  /** The process does its work; that `start` settles is what it hurries for. Never throws. */
  ready(start: Promise<unknown> = Promise.resolve()): void {
    void this.#exportWhenCalm(start);
  }

  /** Exports what it can within `timeoutMs`, and ends. Never rejects. */
  async end(timeoutMs: number): Promise<void> {
    const { clock, log } = this.#options;
    makeSpansWith(undefined);
    this.#ending.abort(new Error('the process ends'));
    if (!this.#sdk && this.#outlet.kept === 0) return;
    try {
      await withDeadline({ clock, timeoutMs, what: 'export of the last spans' }, async () => {
        await (await this.#start())?.shutdown();
      });
    } catch (err) {
      log.warn({ reason: errorText(err) }, 'the last spans may be lost');
    }
  }

  async #exportWhenCalm(start: Promise<unknown>): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#ending;
    const deadline = clock.sleep(startIsOverMs, signal);
    await Promise.race([start, deadline]).catch(() => undefined);
    let last = performance.eventLoopUtilization();
    const utilization = () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    };
    await whenCalm({ clock, utilization, signal });
    if (!signal.aborted) await this.#start();
  }

  async #start(): Promise<Sdk | undefined> {
    this.#sdk ??= this.#load();
    return await this.#sdk;
  }

  async #load(): Promise<Sdk | undefined> {
    const { log } = this.#options;
    try {
      const { startSdk } = await import('./otel-sdk.ts');
      const sdk = await startSdk(this.#options);
      this.#outlet.openTo((facts) => sdk.tell(facts));
      return sdk;
    } catch (err) {
      log.error({ err }, 'telemetry cannot be started; no spans are exported');
      this.#outlet.close();
      return undefined;
    }
  }
}
