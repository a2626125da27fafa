import { renderTable } from '../table.ts';
import type { PipelineReport } from './pipeline.ts';

/** The figures with what they are meant to be. */
export function pipelineTable(report: PipelineReport): string {
  const { rates, burst, floor, cpuMsPerRunner, provisionerRssMb10k } = report;
  const rows = rates.map(({ jobsPerS, runners, p50Ms, p99Ms, maxMs }) => [
    String(jobsPerS),
    String(runners),
    String(p50Ms),
    String(p99Ms),
    String(maxMs),
    (p50Ms / floor.natsP50Ms).toFixed(0),
  ]);
  const cpu = Object.entries(cpuMsPerRunner).map(([name, ms]) => `${name} ${ms}`);
  return [
    renderTable([['jobs/s', 'runners', 'p50 ms', 'p99 ms', 'max ms', 'p50 / floor'], ...rows]),
    'goal at 50 jobs/s: p50 25 ms, p99 150 ms',
    `floor: NATS round trip ${floor.natsP50Ms} ms, HTTP round trip ${floor.httpP50Ms} ms (p50)`,
    `burst of ${burst.jobs} jobs: ${burst.runnersPerS} runners/s (${burst.each.join(', ')}; goal: at least 300)`,
    `CPU ms per runner in the bursts: ${cpu.join(', ')}`,
    `a provisioner's memory after the bursts: ${provisionerRssMb10k} MB (goal: at most 300)`,
  ].join('\n');
}
