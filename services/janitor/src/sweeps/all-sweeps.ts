import type { AnySweep } from './any-sweep.ts';

/** Every sweep of a janitor. */
export const allSweeps: readonly AnySweep[] = [];
