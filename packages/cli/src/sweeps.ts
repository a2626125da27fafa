import { buckets, type SweepName, sweepNames } from '@baton/shared/contracts';
import type { Nats } from '@baton/shared/messaging';
import {
  openLeases,
  openSweepConfirmations,
  openSweeps,
  verifyInstallation,
} from '@baton/shared/stores';
import { InvalidArgumentError } from 'commander';
import { findNearest } from './core/nearest.ts';
import { type SweepView, sweepViews } from './core/sweep-view.ts';
import type { Io } from './io.ts';
import { verifyBuckets, withNats } from './stores.ts';

/** What the commands about sweeps work on. */
export interface SweepStores {
  nats: Nats;
  sweeps: Awaited<ReturnType<typeof openSweeps>>;
  confirmations: Awaited<ReturnType<typeof openSweepConfirmations>>;
}

/** Runs `work` with the bucket of the sweeps of this installation. */
export async function withSweeps<T>(io: Io, work: (stores: SweepStores) => Promise<T>): Promise<T> {
  return await withNats(io, async (nats, { installationId, leaseTtlMs }) => {
    await verifyBuckets(nats, leaseTtlMs, [buckets.sweeps, buckets.leases, buckets.specs]);
    await verifyInstallation(nats, installationId);
    const [sweeps, confirmations] = [await openSweeps(nats), await openSweepConfirmations(nats)];
    return await work({ nats, sweeps, confirmations });
  });
}

/** All sweeps with what became of their last runs, and who leads them now. */
export async function readSweeps({ nats, sweeps }: SweepStores): Promise<SweepView[]> {
  const leases = await openLeases(nats);
  const [states, held] = await Promise.all([sweeps.list('state'), leases.list('sweep')]);
  const leaders = held.map(({ key, value: { identity } }) => {
    const [, sweep = '', ...host] = key.split('.');
    return { sweep, host: host.length > 0 ? host.join('.') : null, identity };
  });
  return sweepViews(
    states.map(({ value }) => value),
    leaders,
  );
}

/** Reads the name of a sweep off the command line. */
export function sweepName(text: string): SweepName {
  const found = sweepNames.find((name) => name === text);
  if (found) return found;
  const [near] = findNearest(text, sweepNames);
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
  throw new InvalidArgumentError(`There is no such sweep.${hint} All: ${sweepNames.join(', ')}.`);
}
