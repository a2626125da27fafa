import { type AnySweep, anySweep } from './any-sweep.ts';
import { allSweeps as byName } from './core/all-sweeps.ts';

/** Every sweep of a janitor. */
export const allSweeps: readonly AnySweep[] = Object.values(byName).map(anySweep);
