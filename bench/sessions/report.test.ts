import { expect, test } from 'vitest';
import { aFloor } from '../testing/a-floor.ts';
import { sessionsReport } from './report.ts';

function aPoint(sets: number, rssMb: number) {
  return {
    sets,
    rssMb,
    rssMaxMb: rssMb,
    cpuPercent: 2,
    pollLagP99Ms: 20,
    polls: sets,
    natsCpuPercent: 1,
    simulatorCpuPercent: 1,
    startMs: 1_000,
    restartMs: 900,
    batch200P99Ms: 150,
    coldBatch200P99Ms: 200,
  };
}

function aBare(rssMb: number) {
  return { rssMb, cpuPercent: 0.5, startMs: 250, pollLagP99Ms: 8, batch200P99Ms: 30 };
}

test('each point is compared with the bare program that polled as many sets', () => {
  const report = sessionsReport(
    [aPoint(100, 160), aPoint(1_100, 280)],
    [aBare(80), aBare(110)],
    aFloor,
  );

  expect(report.points.map(({ sets, ratios }) => [sets, ratios])).toEqual([
    [100, { rssMb: 2, cpuPercent: 4, startMs: 4, pollLagP99Ms: 2.5, batch200P99Ms: 5 }],
    [1_100, { rssMb: 2.55, cpuPercent: 4, startMs: 4, pollLagP99Ms: 2.5, batch200P99Ms: 5 }],
  ]);
  expect(report.batch200P99Ms).toBe(150);
  expect(report.kbPerFurtherSet).toEqual([120]);
  expect(report.floor.kbPerFurtherSet).toEqual([30]);
  expect(report.ratios).toEqual({ batch200P99Ms: 5, kbPerFurtherSet: [4] });
});
