import { z } from 'zod';
import type { Controller } from './hierarchies.ts';

const memoryBytes = z.int().min(16 * 2 ** 20);
const cpus = z.number().min(0.01).max(10_000);
const pids = z.int().min(16);

/** What one instance may use. All optional. */
export const limitsSchema = z.strictObject({
  memoryBytes: memoryBytes.optional().describe('Memory and swap together, in bytes.'),
  cpus: cpus.optional().describe('Processor time, in processors: 1.5 is one and a half.'),
  pids: pids.optional().describe('How many processes and threads.'),
});

export type Limits = z.output<typeof limitsSchema>;

const controllerOf = { memoryBytes: 'memory', cpus: 'cpu', pids: 'pids' } as const;
const names = ['memoryBytes', 'cpus', 'pids'] as const;

export function controllersFor(limits: Limits): Controller[] {
  return names.filter((name) => limits[name] !== undefined).map((name) => controllerOf[name]);
}

/** The limits of an instance: the definition's, lowered by the scale set's. Or what is wrong. Pure. */
export function combineLimits(
  maxima: Limits,
  wished: Limits,
): { limits: Limits } | { problem: string } {
  for (const name of names) {
    const [maximum, wish] = [maxima[name], wished[name]];
    if (wish === undefined) continue;
    if (maximum === undefined)
      return { problem: `limits.${name}: the provider's definition sets no maximum for it` };
    if (wish > maximum)
      return { problem: `limits.${name}: ${wish} is above the provider's ${maximum}` };
  }
  return { limits: { ...maxima, ...withoutUndefined(wished) } };
}

function withoutUndefined(limits: Limits): Limits {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

export interface LimitFile {
  name: string;
  value: string;
  /** Not there on every kernel. */
  isOptional?: boolean;
}

const periodUs = 100_000;

/** What to write into the cgroup of one instance, in this order. Pure. */
export function limitFiles(version: 1 | 2, controller: Controller, limits: Limits): LimitFile[] {
  const value = (name: keyof Limits) => limits[name] ?? 0;
  const quotaUs = Math.round(value('cpus') * periodUs);
  const bytes = String(value('memoryBytes'));
  switch (controller) {
    case 'memory':
      return version === 2
        ? [
            { name: 'memory.max', value: bytes },
            { name: 'memory.swap.max', value: '0', isOptional: true },
          ]
        : [
            { name: 'memory.limit_in_bytes', value: bytes },
            { name: 'memory.memsw.limit_in_bytes', value: bytes, isOptional: true },
          ];
    case 'cpu':
      return version === 2
        ? [{ name: 'cpu.max', value: `${quotaUs} ${periodUs}` }]
        : [
            { name: 'cpu.cfs_period_us', value: String(periodUs) },
            { name: 'cpu.cfs_quota_us', value: String(quotaUs) },
          ];
    case 'pids':
      return [{ name: 'pids.max', value: String(value('pids')) }];
  }
}
