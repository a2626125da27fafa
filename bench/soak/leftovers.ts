import type { Books } from '@baton/github-sim';
import { buckets, streams } from '@baton/shared/contracts';
import type { JetStreamSample, KeyCount } from './jetstream-sample.ts';

/** What there is when all jobs were queued, and the system had its time to come to rest. */
export interface Rest {
  books: Pick<Books, 'jobs' | 'registrations' | 'duplicateRunners'>;
  /** Instances that the provider still has, by its files. */
  instances: number;
  keys: Readonly<Record<string, KeyCount>>;
  jetStream: Pick<JetStreamSample, 'lag' | 'streams'>;
}

/** Buckets whose keys are of single runners: where no runner is, no key is. */
const ofRunners = [buckets.runners, buckets.jit];

/** What should not be there at the end, for people. Pure. */
export function leftovers({ books, instances, keys, jetStream }: Rest): string[] {
  const { total, completed } = books.jobs;
  const counts: [number, string][] = [
    [total - completed, 'jobs are not completed'],
    [books.duplicateRunners, 'runners came online for nothing'],
    [books.registrations.length, 'registrations are left over'],
    [instances, 'instances are left over'],
    ...ofRunners.flatMap((bucket): [number, string][] => [
      [keys[bucket]?.values ?? 0, `values are left over in ${bucket}`],
      [keys[bucket]?.deleted ?? 0, `marks of deleted keys are left over in ${bucket}`],
    ]),
    ...[streams.commands, streams.dead].map((name): [number, string] => [
      jetStream.streams[name]?.messages ?? 0,
      `messages are left over in ${name}`,
    ]),
    ...Object.entries(jetStream.lag).map(([name, count]): [number, string] => [
      count,
      `messages wait for ${name}`,
    ]),
  ];
  return counts.filter(([count]) => count > 0).map(([count, text]) => `${count} ${text}`);
}
