import type { TelemetryConfig } from '../config/index.ts';
import { type OtlpTarget, otlpTarget } from './otlp-target.ts';
import type { Sampling } from './sampling.ts';

/** What the configuration says of traces. */
export interface TracesSettings {
  sampling: Sampling;
  /** Where spans go; undefined: to stdout. */
  target: OtlpTarget | undefined;
  queueSize: number;
  batchSize: number;
  delayMs: number;
  exportTimeoutMs: number;
}

/** Undefined when no traces are wanted. Pure. */
export function tracesSettings(config: TelemetryConfig): TracesSettings | undefined {
  const exporter = config.tracesExporter ?? (isAddressed(config) ? 'otlp' : 'none');
  const sampling = samplingOf(config);
  if (config.otelDisabled || exporter === 'none' || !sampling) return undefined;
  return {
    sampling,
    target: exporter === 'otlp' ? tracesTarget(config) : undefined,
    queueSize: config.spanQueueSize,
    batchSize: Math.min(config.spanBatchSize, config.spanQueueSize),
    delayMs: config.spanDelayMs,
    exportTimeoutMs: config.spanExportTimeoutMs,
  };
}

/** Whoever says where a collector is wants to have them. */
function isAddressed({ otlpEndpoint, tracesEndpoint }: TelemetryConfig): boolean {
  return otlpEndpoint !== undefined || tracesEndpoint !== undefined;
}

function samplingOf({ tracesSampler, tracesRatio }: TelemetryConfig): Sampling | undefined {
  switch (tracesSampler) {
    case 'always_off':
      return undefined;
    case 'always_on':
      return { parentBased: false, ratio: 1 };
    case 'traceidratio':
      return { parentBased: false, ratio: tracesRatio };
    case 'parentbased_always_off':
      return { parentBased: true, ratio: 0 };
    case 'parentbased_always_on':
      return { parentBased: true, ratio: 1 };
    case 'parentbased_traceidratio':
      return { parentBased: true, ratio: tracesRatio };
  }
}

function tracesTarget(config: TelemetryConfig): OtlpTarget {
  return otlpTarget(config, 'v1/traces', {
    endpoint: config.tracesEndpoint,
    protocol: config.tracesProtocol,
    headers: config.tracesHeaders,
    compression: config.tracesCompression,
    timeoutMs: config.tracesTimeoutMs,
  });
}
