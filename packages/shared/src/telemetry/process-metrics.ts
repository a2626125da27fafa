import { monitorEventLoopDelay } from 'node:perf_hooks';
import { gauge, type MetricSource } from './metrics.ts';

/** What tells whether a process itself is well. Starts to measure with the call. */
export function processMetrics(): MetricSource[] {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const value = (name: string, help: string, read: () => number) =>
    gauge(name, help, () => [{ value: read(), labels: {} }]);
  const longestDelay = () => {
    const seconds = delay.max / 1e9;
    delay.reset();
    return seconds;
  };
  return [
    value('process_resident_memory_bytes', 'Memory of the process.', () =>
      process.memoryUsage.rss(),
    ),
    value('process_uptime_seconds', 'Age of the process.', () => process.uptime()),
    value(
      'baton_event_loop_delay_seconds',
      'Longest wait for the event loop since the last scrape.',
      longestDelay,
    ),
  ];
}
