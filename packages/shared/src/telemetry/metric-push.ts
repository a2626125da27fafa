import type { TelemetryConfig } from '../config/index.ts';
import { errorText } from '../errors/index.ts';
import { type Clock, withDeadline } from '../time/index.ts';
import type { Logger } from './logger.ts';
import { Counter, type Metrics } from './metrics.ts';
import { type MetricsSettings, metricsSettings } from './metrics-settings.ts';
import type { Pusher } from './pusher.ts';
import { ownResource } from './resource-attributes.ts';

interface PushOptions {
  metrics: Metrics;
  settings: MetricsSettings;
  resource: Record<string, string | number>;
  clock: Clock;
  log: Logger;
}

interface BeginOptions extends Pick<PushOptions, 'metrics' | 'clock' | 'log'> {
  service: string;
  config: TelemetryConfig & { instance: string; installationId: string };
}

/** Pushes the metrics of this process by OTLP, when its configuration wants it. */
export function metricPush({ service, config, ...deps }: BeginOptions): MetricPush | undefined {
  const settings = metricsSettings(config);
  if (!settings) return undefined;
  return new MetricPush({ ...deps, settings, resource: ownResource(service, config) });
}

/**
 * Pushes the metrics of a process, again and again. OpenTelemetry's SDK is loaded when the first push is due:
 * a start has no time for it.
 */
export class MetricPush {
  readonly #options: PushOptions;
  readonly #ending = new AbortController();
  readonly #pushes = new Counter<'outcome'>({
    name: 'baton_metric_exports_total',
    help: 'Pushes of all metrics by OTLP, by what became of them.',
  });
  #begun = false;
  #pusher: Promise<Pusher | undefined> | undefined;

  constructor(options: PushOptions) {
    this.#options = options;
    for (const outcome of ['exported', 'failed']) this.#pushes.add({ outcome }, 0);
    options.metrics.add(this.#pushes);
  }

  /** The process does its work: pushing begins. Never throws. */
  ready(): void {
    this.#begun = true;
    void this.#pushFirst();
  }

  /** Pushes once more, within `timeoutMs`, and ends. Never rejects. */
  async end(timeoutMs: number): Promise<void> {
    const { clock, log } = this.#options;
    this.#ending.abort(new Error('the process ends'));
    if (!this.#begun) return;
    try {
      await withDeadline({ clock, timeoutMs, what: 'last push of metrics' }, async () => {
        await (await this.#start())?.stop();
      });
    } catch (error) {
      log.warn({ reason: errorText(error) }, 'the last metrics may be lost');
    }
  }

  async #pushFirst(): Promise<void> {
    const { clock, settings } = this.#options;
    const { signal } = this.#ending;
    await clock.sleep(settings.intervalMs, signal).catch(() => undefined);
    if (!signal.aborted) (await this.#start())?.pushNow();
  }

  async #start(): Promise<Pusher | undefined> {
    this.#pusher ??= this.#load();
    return await this.#pusher;
  }

  async #load(): Promise<Pusher | undefined> {
    const { metrics, settings, resource, log } = this.#options;
    try {
      const { startPusher } = await import('./pusher.ts');
      return await startPusher(metrics, { settings, resource, log, pushes: this.#pushes });
    } catch (err) {
      log.error({ err }, 'telemetry cannot be started; no metrics are pushed');
      return undefined;
    }
  }
}
