export { attributes } from './attributes.ts';
export { beginTraces } from './begin-traces.ts';
export type { LogFields } from './log-fields.ts';
export {
  type ComponentLevel,
  type LogComponent,
  LogLevels,
  type LogSetting,
  logComponents,
  logLevels,
  parseLogSetting,
} from './log-levels.ts';
export { createLogger, type Logger, silentLogger } from './logger.ts';
export { metricPush } from './metric-push.ts';
export {
  Counter,
  gauge,
  Histogram,
  type Measurement,
  type MetricSource,
  Metrics,
  type NumberSource,
} from './metrics.ts';
export type { OtlpTarget } from './otlp-target.ts';
export { processMetrics } from './process-metrics.ts';
export {
  activeTraceparent,
  inSpan,
  inTrace,
  makeSpansWith,
  mintSpan,
  parseTraceparent,
  recordSpan,
  type Span,
  type SpanAttributes,
  type SpanMaker,
  type SpanOptions,
  startSpan,
  withinSpan,
} from './spans.ts';
export { tracesSettings } from './traces-settings.ts';
