import { type AnySweep, anySweep } from './any-sweep.ts';
import { finished } from './core/finished.ts';
import { lost } from './core/lost.ts';
import { neverRegistered } from './core/never-registered.ts';
import { offline } from './core/offline.ts';
import { orphanInstances } from './core/orphan-instances.ts';
import { orphanRegistrations } from './core/orphan-registrations.ts';
import { stuckCreating } from './core/stuck-creating.ts';

/** Every sweep of a janitor. */
export const allSweeps: readonly AnySweep[] = [
  stuckCreating,
  neverRegistered,
  offline,
  lost,
  finished,
  orphanInstances,
  orphanRegistrations,
].map((sweep) => anySweep(sweep));
