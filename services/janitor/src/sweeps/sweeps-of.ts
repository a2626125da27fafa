import type { SweepConfig } from '../config.ts';
import { allSweeps } from './all-sweeps.ts';
import { type AnySweep, anySweep } from './any-sweep.ts';
import { orphanRegistrationsAt } from './core/orphan-registrations.ts';

/** Every sweep of a janitor, with the ages that it is configured with. */
export function sweepsOf(config: Pick<SweepConfig, 'orphanRegistrationMs'>): readonly AnySweep[] {
  const configured = anySweep(orphanRegistrationsAt(config));
  return allSweeps.map((sweep) => (sweep.name === configured.name ? configured : sweep));
}
