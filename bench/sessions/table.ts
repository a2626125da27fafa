import { renderTable } from '../table.ts';
import type { SessionsReport } from './sessions.ts';

/** The figures with what they are meant to be. */
export function sessionsTable({ points, batch200P99Ms, kbPerFurtherSet }: SessionsReport): string {
  const rows = points.map((point) => [
    String(point.sets),
    String(point.rssMb),
    String(point.rssMaxMb),
    String(point.cpuPercent),
    String(point.startMs),
    String(point.restartMs),
    String(point.pollLagP99Ms),
    String(point.batch200P99Ms),
    String(point.coldBatch200P99Ms),
    String(point.natsCpuPercent),
    String(point.simulatorCpuPercent),
  ]);
  const heading = [
    'sets',
    'RSS MB',
    'max RSS MB',
    'CPU %',
    'start ms',
    'restart ms',
    'poll lag p99 ms',
    'batch p99 ms',
    'first batch',
    'NATS CPU %',
    'simulator CPU %',
  ];
  return [
    renderTable([heading, ...rows]),
    `200 messages at once, p99: ${batch200P99Ms} ms (goal: at most 100)`,
    `KB per further set: ${kbPerFurtherSet.join(', ') || 'needs two points'} (goal: at most 150)`,
    'goals for 1000 sets: at most 300 MB and 25 % of a core',
  ].join('\n');
}
