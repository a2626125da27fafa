import { type AnySweep, anySweep } from './any-sweep.ts';
import { allSweeps as decisions } from './core/all-sweeps.ts';

/** Every sweep of a janitor. */
export const allSweeps: readonly AnySweep[] = Object.values(decisions).map((sweep) =>
  anySweep(sweep),
);
