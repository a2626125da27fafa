import type { Registration, Spec } from '@baton/shared/contracts';
import type { RegistrationStore } from '@baton/shared/stores';
import { attributes, inSpan, type Logger } from '@baton/shared/telemetry';
import { type Clock, withDeadline } from '@baton/shared/time';
import { forgetScaleSet, readRegistration } from './register-scale-set.ts';
import type { Holding } from './serve-session.ts';
import { proveSoleOwner } from './sole-owner.ts';

export interface CloseDeps {
  registrations: RegistrationStore;
  clock: Clock;
  log: Logger;
  /** Aborted when the drain budget is nearly used up. */
  abort: AbortSignal;
}

/** A DELETE that hangs must not use up the time that the other scale sets need, in ms. */
const closeTimeoutMs = 5_000;

/** The registration, while there is something registered at GitHub. */
export async function liveRegistration(
  deps: Pick<CloseDeps, 'registrations'>,
  scaleSetId: string,
): Promise<Registration['github']> {
  return (await readRegistration(deps, scaleSetId))?.github;
}

/**
 * Deletes the recorded session at GitHub. Only the record proves that it is ours, so it is forgotten
 * after GitHub has forgotten it; a failure leaves it to whoever comes next, who resumes it.
 */
export async function closeSession(
  deps: CloseDeps,
  { claim, client, lease }: Holding,
): Promise<void> {
  const { session, scaleSetId } = claim.record;
  const github = await liveRegistration(deps, scaleSetId);
  if (!github || !session) return;
  const { sessionId } = session;
  const told = { [attributes.scaleSet]: scaleSetId, [attributes.session]: sessionId };
  await inSpan('close session', { attributes: told }, async () => {
    await lease.renew();
    await withDeadline(
      {
        clock: deps.clock,
        what: 'close session',
        timeoutMs: closeTimeoutMs,
        signal: AbortSignal.any([lease.signal, deps.abort]),
      },
      (signal) => client.deleteSession(github.scaleSetId, sessionId, { signal }),
    );
    await claim.write(({ session: _session, ...record }) => record);
  });
  deps.log.info('session closed');
}

/** Deletes the scale set at GitHub, if we created it there, and forgets it. */
export async function removeScaleSet(deps: CloseDeps, spec: Spec, holding: Holding): Promise<void> {
  const github = await liveRegistration(deps, spec.scaleSetId);
  if (github?.createdByUs) {
    const { name } = spec.declaration;
    const { scaleSetId } = github;
    await proveSoleOwner(deps, holding, { githubScaleSetId: scaleSetId, name });
    await holding.client.deleteScaleSet(scaleSetId);
  }
  await forgetRegistration(deps, spec, holding);
}

/** The scale set is gone at GitHub, and its session with it. */
export async function forgetRegistration(
  { registrations, log }: CloseDeps,
  spec: Spec,
  { claim, client, lease }: Holding,
): Promise<void> {
  await forgetScaleSet({ client, registrations, log, signal: lease.signal }, spec);
  await claim.write(({ session: _session, ...record }) => ({ ...record, ring: [] }));
}
