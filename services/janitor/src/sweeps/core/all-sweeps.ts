import type { SweepName } from '@baton/shared/contracts';
import type { Sweep } from '../sweep.ts';
import { finished } from './finished.ts';
import { lost } from './lost.ts';
import { neverRegistered } from './never-registered.ts';
import { offline } from './offline.ts';
import { orphanInstances } from './orphan-instances.ts';
import { orphanRegistrations } from './orphan-registrations.ts';
import type { Sightings } from './sightings.ts';
import { stuckCreating } from './stuck-creating.ts';

/** Every sweep, by its name. */
export const allSweeps: Readonly<Record<SweepName, Sweep<Sightings>>> = {
  'stuck-creating': stuckCreating,
  'never-registered': neverRegistered,
  offline,
  lost,
  finished,
  'orphan-instances': orphanInstances,
  'orphan-registrations': orphanRegistrations,
};
