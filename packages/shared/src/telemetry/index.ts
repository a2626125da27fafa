export { createLogger, type Logger, silentLogger } from './logger.ts';
export { Counter, gauge, type Measurement, type MetricSource, Metrics } from './metrics.ts';
export { processMetrics } from './process-metrics.ts';
