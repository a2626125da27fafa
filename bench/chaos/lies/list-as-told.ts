import { createHash } from 'node:crypto';
import type { Instance } from '@baton/providers';
import type { ToldLie } from './lie.ts';

/** An instance as it was when it was deleted. */
export interface Deleted {
  instance: Instance;
  /** Wall clock, ms. */
  atMs: number;
  /** It is listed until then all the same. */
  lingersUntilMs?: number | undefined;
}

interface Truth {
  real: readonly Instance[];
  deleted: readonly Deleted[];
  nowMs: number;
}

/** What `list` answers under a lie about it, or under none. Pure. */
export function listAsTold(truth: Truth, lie: ToldLie | undefined): Instance[] {
  const listed = withLingering(truth);
  switch (lie?.what) {
    case 'list empty':
      return [];
    case 'list half':
      return listed.filter(({ runnerId }) => !isMeant(lie, runnerId));
    case 'list other half each time':
      return listed.filter(({ runnerId }) => !isMeant(lie, `${runnerId} ${truth.nowMs}`));
    case 'list late':
      return asOf(truth, truth.nowMs - lie.agoMs);
    case 'list frozen':
      return asOf(truth, lie.fromMs - lie.agoMs);
    default:
      return listed;
  }
}

/** Whether this one is among those that are lied about; the same for the same lie. */
export function isMeant({ salt, share }: Pick<ToldLie, 'salt' | 'share'>, id: string): boolean {
  const hash = createHash('sha256').update(`${salt} ${id}`).digest();
  return hash.readUInt32BE(0) / 2 ** 32 < share;
}

function withLingering({ real, deleted, nowMs }: Truth): Instance[] {
  const there = new Set(real.map(({ instanceId }) => instanceId));
  const lingering = deleted.filter(
    ({ instance, lingersUntilMs = 0 }) => lingersUntilMs > nowMs && !there.has(instance.instanceId),
  );
  return [...real, ...distinct(lingering.map(({ instance }) => instance))];
}

/** What there was at a time, as it was then. */
function asOf({ real, deleted }: Truth, atMs: number): Instance[] {
  const gone = deleted.filter((deletion) => deletion.atMs > atMs).map(({ instance }) => instance);
  return distinct([...real, ...gone])
    .filter(({ createdAt }) => Date.parse(createdAt) <= atMs)
    .map((instance) => beforeItsEnd(instance, atMs));
}

function beforeItsEnd({ exitCode, exitedAt, ...instance }: Instance, atMs: number): Instance {
  if (exitedAt !== undefined && Date.parse(exitedAt) > atMs)
    return { ...instance, state: 'running' };
  return {
    ...instance,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(exitedAt === undefined ? {} : { exitedAt }),
  };
}

function distinct(instances: readonly Instance[]): Instance[] {
  return [...new Map(instances.map((instance) => [instance.instanceId, instance])).values()];
}
