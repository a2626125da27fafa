import { percentile, type Range, rounded } from '../measure/percentiles.ts';
import { renderTable } from '../table.ts';
import type { TelemetryReport } from './telemetry.ts';

/** The figures with what they are meant to be. */
export function telemetryTable(report: TelemetryReport): string {
  const { ratio10, ratio100, cpuMsPerRunner, startCpuMs, spansPerRunner, lostSpans } = report;
  const median = (figures: readonly number[]) => String(rounded(percentile(figures, 0.5)));
  const ratio = (one: Range) => [one.median, one.min, one.max].map((value) => value.toFixed(3));
  const rows = [
    ['off (floor)', median(cpuMsPerRunner.off), '1', '', '', '', median(startCpuMs.off)],
    ['10 %', median(cpuMsPerRunner.ten), ...ratio(ratio10), '1.10', median(startCpuMs.ten)],
    [
      '100 %',
      median(cpuMsPerRunner.hundred),
      ...ratio(ratio100),
      '1.30',
      median(startCpuMs.hundred),
    ],
  ];
  const heading = ['traces', 'CPU ms/runner', 'ratio', 'least', 'most', 'goal', 'start, CPU ms'];
  return [
    renderTable([heading, ...rows]),
    `${spansPerRunner} spans a runner at 100 %; ${lostSpans} spans were lost`,
  ].join('\n');
}
