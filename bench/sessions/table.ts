import { figureTable, floorLine, renderTable } from '../table.ts';
import type { SessionsReport } from './report.ts';

const compared = [
  ['rssMb', 'memory, MB'],
  ['cpuPercent', 'CPU, % of a core'],
  ['startMs', 'all polled after its start, ms'],
  ['pollLagP99Ms', 'poll lag, p99, ms'],
  ['batch200P99Ms', '200 messages at once, p99, ms'],
] as const;
const goals = new Map([
  ['1000 rssMb', '300'],
  ['1000 cpuPercent', '25'],
  ['100 batch200P99Ms', '100'],
]);

/** The figures with the floor and what they are meant to be. */
export function sessionsTable({
  points,
  kbPerFurtherSet,
  floor,
  ratios: { kbPerFurtherSet: kbRatios },
}: SessionsReport): string {
  const figures = points.flatMap((point) =>
    compared.map(([name, what]) => ({
      what: `${point.sets} sets: ${what}`,
      value: point[name],
      floor: point.floor[name],
      ratio: point.ratios[name],
      goal: goals.get(`${point.sets} ${name}`),
    })),
  );
  const further = kbPerFurtherSet.map((value, index) => ({
    what: `a further set, from ${points[index]?.sets ?? ''} on, KB`,
    value,
    floor: floor.kbPerFurtherSet[index],
    ratio: kbRatios[index],
    goal: '150',
  }));
  const rest = points.map((point) =>
    [
      point.sets,
      point.rssMaxMb,
      point.restartMs,
      point.coldBatch200P99Ms,
      point.natsCpuPercent,
      point.simulatorCpuPercent,
    ].map(String),
  );
  const restHeading = [
    'sets',
    'max RSS MB',
    'restart ms',
    'first 200 messages p99 ms',
    'NATS CPU %',
    'simulator CPU %',
  ];
  return [
    figureTable([...figures, ...further]),
    renderTable([restHeading, ...rest]),
    floorLine(floor),
  ].join('\n');
}
