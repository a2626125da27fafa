import type { Mark, Runner } from '@baton/shared/contracts';
import { markRunner as mark, type MarkDeps as SharedDeps } from '@baton/shared/runners';

export type MarkDeps = Omit<SharedDeps, 'service' | 'onlyIf'>;

/** Marks a runner deleted; see `markRunner` of `@baton/shared/runners`. */
export async function markRunner(
  deps: MarkDeps,
  runner: Runner,
  decided: Pick<Mark, 'reason' | 'gate' | 'text'>,
): Promise<void> {
  await mark({ ...deps, service: 'provisioner' }, runner, decided);
}
