import { significant } from '../measure/percentiles.ts';
import { figureTable, floorLine } from '../table.ts';
import type { PipelineReport } from './pipeline.ts';

const goals = new Map([
  ['50 p50Ms', '25'],
  ['50 p99Ms', '150'],
]);

/** The figures with the floor and what they are meant to be. */
export function pipelineTable(report: PipelineReport): string {
  const { rates, burst, floor, cpuMsPerRunner, provisionerRssMb10k, ratios } = report;
  const { listener, provisioner, nats } = cpuMsPerRunner;
  const pathMs = significant(floor.natsP50Ms + floor.httpP50Ms);
  const cpu = Object.entries(cpuMsPerRunner).map(([name, ms]) => `${name} ${ms}`);
  const figures = rates.flatMap((rate) =>
    (['p50Ms', 'p99Ms'] as const).map((which) => ({
      what: `${rate.jobsPerS} jobs/s, ${which.slice(0, 3)}, ms`,
      value: rate[which],
      range: rate.ranges[which],
      floor: pathMs,
      ratio: rate.ratios[which],
      goal: goals.get(`${rate.jobsPerS} ${which}`),
    })),
  );
  return [
    figureTable([
      ...figures,
      {
        what: `burst of ${burst.jobs} jobs, runners/s`,
        value: burst.runnersPerS,
        range: burst.ranges.runnersPerS,
        floor: floor.messagesPerS,
        ratio: ratios.runnersPerS,
        goal: '300',
      },
      {
        what: 'its CPU: listener, provisioners, NATS, ms/runner',
        value: significant(listener + provisioner + nats),
        floor: floor.cpuMsPerMessage,
        ratio: ratios.cpuMsPerRunner,
      },
      {
        what: "a provisioner's memory after two bursts, MB",
        value: provisionerRssMb10k,
        floor: floor.consumerRssMb,
        ratio: ratios.provisionerRssMb10k,
        goal: '300',
      },
    ]),
    `CPU ms per runner in the bursts: ${cpu.join(', ')}`,
    floorLine(floor),
  ].join('\n');
}
