import type { TelemetryConfig } from '../config/index.ts';
import { type OtlpTarget, otlpTarget } from './otlp-target.ts';

/** What the configuration says of pushing metrics. */
export interface MetricsSettings {
  target: OtlpTarget;
  intervalMs: number;
  /** Longest time that one push may take, in ms. */
  timeoutMs: number;
}

/** Undefined when metrics are not to be pushed. Pure. */
export function metricsSettings(config: TelemetryConfig): MetricsSettings | undefined {
  const isAddressed = config.otlpEndpoint !== undefined || config.metricsEndpoint !== undefined;
  const exporters = config.metricsExporter ?? (isAddressed ? ['otlp'] : []);
  if (config.otelDisabled || !exporters.includes('otlp')) return undefined;
  const target = otlpTarget(config, 'v1/metrics', {
    endpoint: config.metricsEndpoint,
    protocol: config.metricsProtocol,
    headers: config.metricsHeaders,
    compression: config.metricsCompression,
    timeoutMs: config.metricsTimeoutMs,
  });
  const { metricIntervalMs: intervalMs, metricExportTimeoutMs } = config;
  return { target, intervalMs, timeoutMs: Math.min(metricExportTimeoutMs, intervalMs) };
}
