import { isGitHubError } from '@baton/scaleset';
import type { Spec } from '@baton/shared/contracts';
import { isAborted } from '@baton/shared/time';
import { registerScaleSet } from './register-scale-set.ts';
import type { Holding, ServeDeps } from './serve-session.ts';

/** What GitHub was told before the session was opened. */
export interface Registered {
  sent: Spec;
  /** Something is not as declared, because GitHub did not do it. */
  faulty: boolean;
}

const defaultMendEveryMs = 60_000;
/** How often it is looked for a changed spec whose hint was lost, in ms. */
const lookEveryMs = 30_000;

/**
 * Sends changed labels and settings to GitHub while the session runs on, and again from time to time
 * until GitHub has everything as declared: a group that is created later, or a server that learns to
 * keep labels, needs no restart. Never rejects; until the signal is aborted.
 */
export async function keepRegistered(
  deps: ServeDeps,
  holding: Holding & Registered,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, specHints, spec, mendEveryMs = defaultMendEveryMs } = deps;
  using ear = specHints.listen(spec().scaleSetId);
  let { sent, faulty } = holding;
  let mendAt = clock.monotonic() + mendEveryMs;
  while (!isAborted(signal)) {
    const isDue = faulty && clock.monotonic() >= mendAt;
    if (sent !== spec() || isDue) {
      sent = spec();
      faulty = await hasFaults(deps, holding);
      mendAt = clock.monotonic() + mendEveryMs * (0.8 + 0.4 * random());
    }
    const maxMs = faulty ? Math.min(lookEveryMs, mendAt - clock.monotonic()) : lookEveryMs;
    await ear.wait({ clock, maxMs, signal });
  }
}

/** Whether anything is left that is not as declared. */
async function hasFaults(deps: ServeDeps, { client, lease }: Holding): Promise<boolean> {
  const { spec, log } = deps;
  try {
    const registered = await registerScaleSet({ ...deps, client, signal: lease.signal }, spec());
    return Boolean(registered.problems?.length);
  } catch (err) {
    // The poll loop finds out by itself.
    if (isGitHubError(err, 'scale-set-not-found')) return false;
    if (!lease.signal.aborted) {
      log.warn({ err }, 'the declared settings could not be sent to GitHub, trying again');
    }
    return true;
  }
}
