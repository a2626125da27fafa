import { readdirSync } from 'node:fs';
import { systemClock } from '../time/index.ts';
import { buildVersion } from './build-version.ts';
import { EventLoopDelay } from './event-loop-delay.ts';
import { gauge, type MetricSource, type NumberSource } from './metrics.ts';

/**
 * What tells whether a process itself is well, under the names that Prometheus' own clients use. Starts
 * to measure with the call.
 */
export function processMetrics(): MetricSource[] {
  const delay = new EventLoopDelay(systemClock);
  return [
    cpuSeconds,
    value('process_resident_memory_bytes', 'Memory of the process.', () =>
      process.memoryUsage.rss(),
    ),
    value('process_uptime_seconds', 'Age of the process.', () => process.uptime()),
    value('process_start_time_seconds', 'When the process began, since 1970.', () => startedAt),
    openFiles,
    value(
      'baton_event_loop_delay_seconds',
      'Longest wait for the event loop in the last one to two minutes.',
      () => delay.longest(),
    ),
    gauge('baton_build_info', '1; its labels say what runs.', () => [
      { value: 1, labels: { version: buildVersion(), node: process.versions.node } },
    ]),
  ];
}

const startedAt = Math.round(performance.timeOrigin) / 1_000;

const cpuSeconds: NumberSource = {
  kind: 'counter',
  name: 'process_cpu_seconds_total',
  help: 'CPU time that the process has used, user and system.',
  read: () => {
    const { user, system } = process.cpuUsage();
    return [{ value: (user + system) / 1e6, labels: {} }];
  },
};

/** Not told where the system has no such folder. */
const openFiles = gauge('process_open_fds', 'File descriptors that are open.', () => {
  try {
    // One of them is that of the folder, while it is read.
    return [{ value: readdirSync('/proc/self/fd').length - 1, labels: {} }];
  } catch {
    return [];
  }
});

function value(name: string, help: string, read: () => number): NumberSource {
  return gauge(name, help, () => [{ value: read(), labels: {} }]);
}
