import { isGitHubError } from '@baton/scaleset';
import type { Spec } from '@baton/shared/contracts';
import { forgetRegistration, liveRegistration } from './close-session.ts';
import { replacementPauseMs } from './core/replacements.ts';
import type { ListenerDeps } from './listener-deps.ts';
import type { Holding } from './serve-session.ts';
import type { StatusReporter } from './status-reporter.ts';

interface RecoverDeps extends ListenerDeps {
  status: StatusReporter;
  spec: () => Spec;
  /** Aborted when the scale set is to be given up. */
  stop: AbortSignal;
}

/**
 * Makes a session possible again after GitHub ended one: a scale set that is gone, and that GitHub
 * says so twice, is forgotten, so that it is registered anew. What ends right after it was opened is not opened in a hot loop.
 * @throws the error itself when it is about something else; the reason of a lost lease.
 */
export async function recoverSession(
  deps: RecoverDeps,
  holding: Holding,
  error: unknown,
): Promise<void> {
  const { log, status, spec, stop } = deps;
  if (isGitHubError(error, 'scale-set-not-found')) {
    if (await isThere(deps, holding)) {
      log.warn('github said that the scale set is gone, and has it: its session is kept');
    } else {
      log.warn('the scale set is gone at GitHub, registering it again');
      await forgetRegistration(deps, spec(), holding);
    }
    await pause(deps, AbortSignal.any([holding.lease.signal, stop]));
    status.replaced('scale-set-gone');
  } else if (isGitHubError(error, 'session-gone')) {
    log.warn('the session is gone at GitHub, opening a new one');
    await pause(deps, AbortSignal.any([holding.lease.signal, stop]));
  } else throw error;
  holding.lease.signal.throwIfAborted();
}

/**
 * Whether GitHub has the scale set after all. Forgetting one with its session would make that session
 * a stranger's, which has to be waited out.
 */
async function isThere(deps: RecoverDeps, { client, lease }: Holding): Promise<boolean> {
  const known = await liveRegistration(deps, deps.spec().scaleSetId);
  if (!known) return false;
  try {
    await client.getScaleSet(known.scaleSetId, { signal: lease.signal });
    return true;
  } catch (error) {
    if (isGitHubError(error, 'scale-set-not-found')) return false;
    throw error;
  }
}

/** Not the first time; then longer each time. A changed spec ends it. */
async function pause(deps: RecoverDeps, signal: AbortSignal): Promise<void> {
  const { clock, random, specHints, opening, log, status } = deps;
  const { scaleSetId, replacedAt, epoch } = status.current;
  const maxMs = opening.replacementMaxMs;
  const waitMs = Math.round(replacementPauseMs(replacedAt, { now: clock.now(), maxMs, random }));
  if (waitMs === 0) return;
  log.warn({ waitMs }, 'sessions end again and again, waiting before the next one');
  const seconds = Math.ceil(waitMs / 1_000);
  const reason = `GitHub ended the session again; a new one is opened in ${seconds} s`;
  status.enter('opening', { epoch, reason });
  await specHints.waitFor(scaleSetId, { clock, maxMs: waitMs, signal });
}
