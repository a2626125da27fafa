import type { SweepConfig } from '../config.ts';
import { type AnySweep, anySweep } from './any-sweep.ts';
import { finished } from './core/finished.ts';
import { lost } from './core/lost.ts';
import { neverRegistered } from './core/never-registered.ts';
import { offline } from './core/offline.ts';
import { orphanInstances } from './core/orphan-instances.ts';
import { orphanRegistrationsAt } from './core/orphan-registrations.ts';
import { stuckCreating } from './core/stuck-creating.ts';

/** Every sweep of a janitor, with the ages that it is configured with. */
export function allSweeps(config: Pick<SweepConfig, 'orphanRegistrationMs'>): readonly AnySweep[] {
  return [
    stuckCreating,
    neverRegistered,
    offline,
    lost,
    finished,
    orphanInstances,
    orphanRegistrationsAt(config),
  ].map((sweep) => anySweep(sweep));
}
