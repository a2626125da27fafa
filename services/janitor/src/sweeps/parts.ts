import type { ComputeProvider } from '@baton/providers';
import type { SweepName } from '@baton/shared/contracts';
import type { AnySweep } from './any-sweep.ts';

/** What one leader does of a sweep: all of it, or what is about the instances of one host. */
export interface SweepPart {
  sweep: AnySweep;
  /** Where the providers are of one host. */
  hostId: string | undefined;
  /** The names of the providers whose instances it looks at. */
  providers: readonly string[];
}

/**
 * The parts of the sweeps that a process with these providers can do. Instances of a host are only seen
 * there, so that each host has a leader of its own; who has none but such providers leaves the others
 * alone. Pure.
 */
export function partsOf(
  sweeps: readonly AnySweep[],
  providers: ReadonlyMap<string, Pick<ComputeProvider, 'hostId'>>,
): SweepPart[] {
  const byHost = new Map<string | undefined, string[]>();
  for (const [name, { hostId }] of providers) {
    byHost.set(hostId, [...(byHost.get(hostId) ?? []), name]);
  }
  return sweeps.flatMap((sweep) =>
    sweep.needs.includes('instances')
      ? [...byHost].map(([hostId, names]) => ({ sweep, hostId, providers: names }))
      : [{ sweep, hostId: undefined, providers: [] }],
  );
}

/** The key of the lease of a part. */
export function sweepLeaseKey(sweep: SweepName, hostId: string | undefined): string {
  return hostId === undefined ? `sweep.${sweep}` : `sweep.${sweep}.${hostId}`;
}
