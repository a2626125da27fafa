import { expect, test } from 'vitest';
import { packPlan, planSchema } from './plan.ts';
import { topology } from './topology.ts';

/** As the declaration of a scale set allows. */
const mostRunners = 10_000;
/** What else a plan may say: conditions, back-off, demand. */
const restBytes = 64 * 1024;

test('the plan of the largest scale set fits into its bucket', () => {
  const runner = { runnerId: 'k7m2x9qhw4', recorded: false, namedAt: '2026-11-26T06:44:21.000Z' };
  const plan = planSchema.parse({
    v: 1,
    scaleSetId: 'linux-12345678',
    runners: Array.from({ length: mostRunners }, () => runner),
    free: 0,
    freeAt: runner.namedAt,
  });
  const bucket = topology({ leaseTtlMs: 10_000 }).buckets.find(({ name }) =>
    name.endsWith('plans'),
  );

  const bytes = Buffer.byteLength(JSON.stringify(packPlan(plan)));

  expect(bytes + restBytes).toBeLessThan(bucket?.maxValueBytes ?? 0);
});
