import { describe, expect, test } from 'vitest';
import { combineLimits, limitFiles, limitsSchema } from './limits.ts';

const limits = { memoryBytes: 2 ** 30, cpus: 1.5, pids: 512 };
const written = (version: 1 | 2) =>
  (['memory', 'cpu', 'pids'] as const)
    .flatMap((controller) => limitFiles(version, controller, limits))
    .map(({ name, value }) => `${name}=${value}`);

describe('limits', () => {
  test('are written as each version of cgroups wants them', () => {
    expect(written(2)).toEqual([
      'memory.max=1073741824',
      'memory.swap.max=0',
      'cpu.max=150000 100000',
      'pids.max=512',
    ]);
    expect(written(1)).toEqual([
      'memory.limit_in_bytes=1073741824',
      'memory.memsw.limit_in_bytes=1073741824',
      'cpu.cfs_period_us=100000',
      'cpu.cfs_quota_us=150000',
      'pids.max=512',
    ]);
  });

  test.each([{ memoryBytes: 1_000 }, { cpus: 0 }, { pids: 1 }, { pids: 20.5 }, { memory: 1 }])(
    'refuse %j',
    (wrong) => {
      expect(limitsSchema.safeParse(wrong).success).toBe(false);
    },
  );

  test('of a scale set lower those of the definition', () => {
    expect(combineLimits(limits, { cpus: 1 })).toEqual({ limits: { ...limits, cpus: 1 } });
    expect(combineLimits(limits, {})).toEqual({ limits });
    expect(combineLimits(limits, limits)).toEqual({ limits });
  });

  test('of a scale set may not be above, or without, a maximum', () => {
    expect(combineLimits(limits, { pids: 513 })).toEqual({
      problem: "limits.pids: 513 is above the provider's 512",
    });
    expect(combineLimits({ pids: 512 }, { cpus: 1 })).toEqual({
      problem: "limits.cpus: the provider's definition sets no maximum for it",
    });
  });
});
