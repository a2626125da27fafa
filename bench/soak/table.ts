import { renderTable } from '../table.ts';
import type { SoakReport } from './soak.ts';
import type { Trend } from './trend.ts';

/** The figures, what grew, what is left, and the verdict last. */
export function soakTable(report: SoakReport): string {
  const { processes, lag, streams, buckets, storeMb, keysAtRest, grew, left } = report;
  const rows = [
    ...Object.entries(processes).flatMap(([name, { rssMb, handles, threads, series }]) => [
      rowOf(`${name}: resident MB`, rssMb),
      rowOf(`${name}: handles`, handles),
      rowOf(`${name}: threads`, threads),
      ...(series ? [rowOf(`${name}: series`, series)] : []),
    ]),
    ...Object.entries({ ...streams, ...buckets }).flatMap(([name, { messages, mb }]) => [
      rowOf(
        `${name}: ${name in streams ? 'messages' : 'keys'}`,
        messages,
        atRest(keysAtRest[name]),
      ),
      rowOf(`${name}: MB`, mb),
    ]),
    rowOf('files of NATS: MB', storeMb),
    rowOf('files besides facts: MB', storeMb.besidesFacts),
  ];
  const heading = ['what', 'first', 'last', 'most', 'an hour', 'at rest: values, deleted'];
  const behind = Object.entries(lag).map(([name, { p99, most }]) => [
    name,
    String(p99),
    String(most),
  ]);
  return [
    renderTable([heading, ...rows]),
    '',
    renderTable([['lag of', 'p99', 'most'], ...behind]),
    '',
    `${report.completed} of ${report.jobs} jobs completed in ${report.minutes} minutes`,
    ...grew.map((text) => `GREW: ${text}`),
    ...left.map((text) => `LEFT: ${text}`),
    verdictOf(report),
  ].join('\n');
}

export function verdictOf({
  grew,
  left,
  logs,
}: Pick<SoakReport, 'grew' | 'left' | 'logs'>): string {
  if (grew.length + left.length === 0) return 'verdict: nothing grows, and nothing is left';
  return `verdict: ${grew.length} of what was watched grew, ${left.length} kinds of things are left; logs: ${logs ?? '-'}`;
}

function rowOf(what: string, { first, last, most, slopePerHour }: Trend, rest = ''): string[] {
  return [what, ...[first, last, most, slopePerHour].map(String), rest];
}

function atRest(count: { values: number; deleted: number } | undefined): string {
  return count ? `${count.values}, ${count.deleted}` : '';
}
