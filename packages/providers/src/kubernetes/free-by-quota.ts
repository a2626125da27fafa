import type { z } from 'zod';
import type { quotaListSchema } from './api-schemas.ts';

const podCounts = ['pods', 'count/pods'];

/**
 * How many more pods the namespace's quotas allow; infinite where none counts pods. Quotas for some
 * pods only (`scopes`, `scopeSelector`) are left to the API server. Pure.
 */
export function freeByQuota({ items }: z.output<typeof quotaListSchema>): number {
  const rooms = items
    .filter(({ spec }) => !spec?.scopes?.length && !spec?.scopeSelector)
    .flatMap(({ status }) =>
      podCounts
        .filter((name) => status?.hard?.[name] !== undefined)
        .map((name) => Number(status?.hard?.[name]) - Number(status?.used?.[name] ?? 0)),
    )
    .filter((room) => !Number.isNaN(room));
  return Math.min(Number.POSITIVE_INFINITY, ...rooms);
}
