import type { TelemetryConfig } from '../config/index.ts';
import type { Clock } from '../time/index.ts';
import type { Logger } from './logger.ts';
import { Counter, type Metrics } from './metrics.ts';
import { ownResource } from './resource-attributes.ts';
import { tracesSettings } from './traces-settings.ts';
import { Tracing } from './tracing.ts';

interface BeginOptions {
  service: string;
  config: TelemetryConfig & { instance: string; installationId: string };
  metrics: Metrics;
  clock: Clock;
  log: Logger;
}

/** Traces of this process, when its configuration wants them. */
export async function beginTraces(options: BeginOptions): Promise<Tracing | undefined> {
  const { service, config, metrics, clock, log } = options;
  const spans = new Counter<'outcome'>({
    name: 'baton_spans_total',
    help: 'Spans that were to be exported, by what became of them.',
  });
  for (const outcome of ['exported', 'failed', 'dropped']) spans.add({ outcome }, 0);
  metrics.add(spans);
  const settings = tracesSettings(config);
  if (!settings) return undefined;
  const resource = ownResource(service, config);
  return await Tracing.begin({ settings, resource, spans, clock, log });
}
