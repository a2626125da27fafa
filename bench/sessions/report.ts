import type { Floor } from '../measure/floor.ts';
import { ratio, rounded } from '../measure/percentiles.ts';
import type { BareCosts } from './bare-sessions.ts';
import type { IdleCosts } from './observe-idle.ts';

export interface PointFigures extends IdleCosts {
  sets: number;
  /** From the start of the process until all sets were polled, which GitHub did not know before. */
  startMs: number;
  /** The same after a SIGKILL: every session is resumed. */
  restartMs: number;
  /** From the delivery of a message to its deletion, in a burst of 200; after one that warms up. */
  batch200P99Ms: number;
  /** Of that first one. */
  coldBatch200P99Ms: number;
}

interface SessionsPoint extends PointFigures {
  /** A bare program that polls as many. */
  floor: BareCosts;
  ratios: Record<keyof BareCosts, number>;
}

export interface SessionsReport {
  points: SessionsPoint[];
  /** Of the smallest number of sets. */
  batch200P99Ms: number;
  /** Memory of a further set, between one point and the next, in KB. */
  kbPerFurtherSet: number[];
  floor: Floor & { kbPerFurtherSet: number[] };
  ratios: { batch200P99Ms: number; kbPerFurtherSet: number[] };
  books: readonly string[];
}

const books = [
  "the simulator's journal: polls held and ended, messages delivered and deleted",
  '/proc: CPU and memory',
];

/** The points with what as many sets cost the bare program: `bare` has the order of the points. */
export function sessionsReport(
  figures: readonly PointFigures[],
  bare: readonly BareCosts[],
  floor: Floor,
): SessionsReport {
  const points = figures.flatMap((point, index) => {
    const costs = bare[index];
    return costs ? [{ ...point, floor: costs, ratios: ratiosOf(point, costs) }] : [];
  });
  const kb = memoryPerSet(points);
  const bareKb = memoryPerSet(points.map(({ sets, floor: { rssMb } }) => ({ sets, rssMb })));
  const [first] = points;
  return {
    points,
    batch200P99Ms: first?.batch200P99Ms ?? Number.NaN,
    kbPerFurtherSet: kb,
    floor: { ...floor, kbPerFurtherSet: bareKb },
    ratios: {
      batch200P99Ms: first?.ratios.batch200P99Ms ?? Number.NaN,
      kbPerFurtherSet: kb.map((one, index) => ratio(one, bareKb[index] ?? Number.NaN)),
    },
    books,
  };
}

function ratiosOf(point: PointFigures, bare: BareCosts): SessionsPoint['ratios'] {
  const of = (name: keyof BareCosts) => ratio(point[name], bare[name]);
  return {
    rssMb: of('rssMb'),
    cpuPercent: of('cpuPercent'),
    startMs: of('startMs'),
    pollLagP99Ms: of('pollLagP99Ms'),
    batch200P99Ms: of('batch200P99Ms'),
  };
}

/** Memory of a further set from one point to the next, in KB. */
function memoryPerSet(points: readonly Pick<PointFigures, 'sets' | 'rssMb'>[]): number[] {
  return points.slice(1).map((point, index) => {
    const before = points[index] ?? point;
    return rounded(((point.rssMb - before.rssMb) * 1_000) / (point.sets - before.sets));
  });
}
