export { attributes } from './attributes.ts';
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
export {
  Counter,
  gauge,
  Histogram,
  type Measurement,
  type MetricSource,
  Metrics,
  type NumberSource,
} from './metrics.ts';
export { processMetrics } from './process-metrics.ts';
export {
  activeTraceparent,
  inSpan,
  inTrace,
  mintSpan,
  parseTraceparent,
  recordSpan,
  type Span,
  type SpanAttributes,
  startSpan,
  withinSpan,
} from './spans.ts';
