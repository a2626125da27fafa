import { type Deletion, type Runner, runnerKey } from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import { transition } from '@baton/shared/runners';
import { isoNow, notNeeded } from '@baton/shared/time';
import { claimMs, notBegun } from './core/next-step.ts';
import { type DeleteDeps, type Found, nameOf } from './delete-deps.ts';

const maxAttempts = 20;
/** A step that takes longer is claimed, in ms. */
const slowMs = 1_000;
/** How often a claim is renewed, in ms. */
const renewEveryMs = 4_000;

/**
 * Writes what a step came to into the record, which others may have changed meanwhile. Undefined when it is
 * not marked any more, or gone; as found when `change` says that it does not apply any more.
 */
export async function settle(
  deps: DeleteDeps,
  found: Found,
  change: (deletion: Deletion, runner: Runner) => Deletion | undefined,
): Promise<Found | undefined> {
  const { runners, copy, clock } = deps;
  const key = runnerKey(found.value.scaleSetId, found.value.runnerId);
  let current: Found | undefined = found;
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    if (!current?.value.mark) return undefined;
    const deletion = change(current.value.deletion ?? notBegun, current.value);
    if (!deletion) return current;
    const begun = transition(current.value, { kind: 'deleting' }, isoNow(clock));
    const value = { ...(begun.kind === 'moved' ? begun.runner : current.value), deletion };
    const revision: number | undefined = await runners.update(key, value, current.revision);
    if (revision !== undefined) return { value, revision };
    // What comes next is decided from the copy: it must not be decided from the old one again.
    await copy.sync();
    current = await runners.get(key);
  }
  throw new AppError('conflict', `runner ${key} is written by others all the time`, {
    retryable: true,
  });
}

/**
 * Does a step, and tells other janitors in the record when it takes long, so that none of them does the
 * same beside it. A claim ends by itself: whoever made it may die.
 */
export async function claimedWhileSlow<T>(
  deps: DeleteDeps,
  found: Found,
  work: () => Promise<T>,
): Promise<{ found: Found; result: T }> {
  const { clock } = deps;
  const end = new AbortController();
  let current = found;
  const claiming = async () => {
    for (let pauseMs = slowMs; ; pauseMs = renewEveryMs) {
      await clock.sleep(pauseMs, end.signal);
      const until = new Date(clock.now() + claimMs).toISOString();
      const claim = { by: nameOf(deps), until };
      current = (await settle(deps, current, (before) => ({ ...before, claim }))) ?? current;
    }
  };
  // What cannot be claimed is done all the same: at worst somebody does it too.
  const claimed = claiming().catch(() => undefined);
  try {
    const result = await work();
    end.abort(notNeeded);
    await claimed;
    return { found: current, result };
  } finally {
    end.abort(notNeeded);
  }
}

/** The deletion without a claim and a failure that are over. */
export function withoutClaim({
  claim: _claim,
  retryAt: _retryAt,
  failedStep: _failedStep,
  ...deletion
}: Deletion): Deletion {
  return deletion;
}
