import { isGitHubError } from '@baton/scaleset';
import { AppError } from '@baton/shared/errors';
import { type Clock, isoNow } from '@baton/shared/time';
import type { Holding } from './serve-session.ts';

/**
 * Makes sure that nobody else works with the scale set: GitHub gives out one session, so whoever gets
 * it is alone. Deleting a scale set takes the jobs of its other user with it.
 * @throws AppError `github` when somebody else has the session, naming them as GitHub does.
 */
export async function proveSoleOwner(
  { claim, client, lease }: Holding,
  { githubScaleSetId, name, clock }: { githubScaleSetId: number; name: string; clock: Clock },
): Promise<void> {
  const { installationId, owner } = claim.record;
  const ownerName = `baton-${installationId}-${owner}`;
  await lease.renew();
  try {
    const { sessionId } = await client.createSession(githubScaleSetId, ownerName, {
      signal: lease.signal,
    });
    // Goes with the scale set; recorded, so that a crash before that leaves it to the next one.
    const session = { sessionId, ownerName, openedAt: isoNow(clock) };
    await claim.write((record) => ({ ...record, session }));
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
