import { isGitHubError } from '@baton/scaleset';
import { AppError } from '@baton/shared/errors';
import type { Clock } from '@baton/shared/time';
import { createSession } from './create-session.ts';
import type { Holding } from './serve-session.ts';

/**
 * Makes sure that nobody else works with the scale set: GitHub gives out one session, so whoever gets
 * it is alone. Deleting a scale set takes the jobs of its other user with it.
 * @throws AppError `github` when somebody else has the session, naming them as GitHub does.
 */
export async function proveSoleOwner(
  deps: { clock: Clock; abort: AbortSignal },
  holding: Holding,
  { githubScaleSetId, name }: { githubScaleSetId: number; name: string },
): Promise<void> {
  const { installationId, owner } = holding.claim.record;
  const ownerName = `baton-${installationId}-${owner}`;
  await holding.lease.renew();
  try {
    // Goes with the scale set; recorded, so that a crash before that leaves it to the next one.
    await createSession({ ...deps, ...holding }, { githubScaleSetId, ownerName });
  } catch (cause) {
    if (isGitHubError(cause, 'scale-set-not-found')) return;
    if (!isGitHubError(cause, 'session-conflict')) throw cause;
    const who = cause.ownerText ?? 'a client that GitHub does not name';
    throw new AppError(
      'github',
      `scale set "${name}" is not deleted at GitHub: ${who} has its session, and it is not ours. Stop that client, or delete the scale set there by hand`,
      { cause },
    );
  }
}
