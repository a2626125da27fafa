import { expect, test } from 'vitest';
import { aFloor } from '../testing/a-floor.ts';
import { deletionsOf } from './deletions.ts';
import { janitorReport } from './report.ts';

const floor = {
  ...aFloor,
  marked200Ms: 810,
  outage100Ms: 405,
  deletionsPerS: 3_000,
  cpuMsPerDeletion: 0.2,
  list10kMs: 50,
  rssMb: 80,
};

test('deletions stand by how many were marked: medians, ranges, and ratios above 1 where they are worse', () => {
  const cpuMs = { janitor: 0.8, nats: 0.2, simulator: 0.1 };
  const few = deletionsOf(1_000, [
    { perS: 800, cpuMs },
    { perS: 1_000, cpuMs: { ...cpuMs, janitor: 1 } },
    { perS: 750, cpuMs: { ...cpuMs, janitor: 0.6 } },
  ]);
  const many = deletionsOf(10_000, [{ perS: 600, cpuMs: { ...cpuMs, janitor: 1.3 } }]);

  const report = janitorReport({ deletions: [few, many], floor });

  expect(report.deletionsPerS).toEqual({ 1000: 800, 10000: 600 });
  expect(report.ranges['deletionsPerS 1000']).toEqual({ median: 800, min: 750, max: 1_000 });
  expect(report.ratios).toEqual({
    'deletionsPerS 1000': 3.75,
    'cpuMsPerDeletion 1000': 4,
    'deletionsPerS 10000': 5,
    'cpuMsPerDeletion 10000': 6.5,
  });
  expect(report.costRatio).toBe(1.5);
});

test('a part that was not measured has no figure', () => {
  const marked200Ms = { median: 900, min: 880, max: 1_000 };

  const report = janitorReport({ marked200Ms, floor });

  expect(report.marked200Ms).toBe(900);
  expect(report.ratios).toEqual({ marked200Ms: 1.11 });
  expect(Object.keys(report).sort()).toEqual(['books', 'floor', 'marked200Ms', 'ranges', 'ratios']);
});
