import { type RunnerCommand, runnerKey } from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import { isoNow } from '@baton/shared/time';
import { markByOperator } from './core/mark-by-operator.ts';
import type { DeleteDeps } from './delete-deps.ts';
import { tellMarked } from './runner-events.ts';

const maxAttempts = 20;

/** Writes an operator's word into the record, by compare-and-set. Safe to repeat. */
export async function markForOperator(
  deps: DeleteDeps,
  { scaleSetId, runnerId, operator }: RunnerCommand,
): Promise<void> {
  const { runners, clock, log } = deps;
  const key = runnerKey(scaleSetId, runnerId);
  for (let attempt = 0; operator && attempt < maxAttempts; attempt += 1) {
    const found = await runners.get(key);
    const marked = found && markByOperator(found.value, operator, isoNow(clock));
    if (!marked) return;
    const revision = await runners.update(key, marked, found.revision);
    if (revision === undefined) continue;
    log.info({ scaleSetId, runnerId, operator: operator.by }, 'operator deletes a runner');
    await tellMarked(deps, marked, revision);
    return;
  }
  if (operator) throw new AppError('conflict', `runner ${key} is written by others all the time`);
}
