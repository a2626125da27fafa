import { eventSubject, type Runner, type RunnerEvent } from '@baton/shared/contracts';
import type { Publisher } from '@baton/shared/messaging';
import type { Observed } from '@baton/shared/runners';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isoNow } from '@baton/shared/time';

export interface TellDeps {
  publisher: Publisher;
  clock: Clock;
  log: Logger;
  instance: string;
}

/**
 * Tells of a step that an observation moved a runner by, for who reads its life: that it failed and why,
 * or that it came online. Best effort and nobody waits for it: the record is what counts. Never throws.
 */
export function tellStep(deps: TellDeps, observed: Observed | undefined): void {
  if (!observed?.moved) return;
  const { state, failure } = observed.runner;
  if (state === 'failed') publish(deps, observed.runner, 'failed', failure);
  else if (state === 'idle') publish(deps, observed.runner, 'online');
}

function publish(
  { publisher, clock, log, instance }: TellDeps,
  { scaleSetId, runnerId, name, traceparent }: Runner,
  step: 'failed' | 'online',
  failure?: Runner['failure'],
): void {
  const event: RunnerEvent = {
    v: 1,
    type: `runner.${step}`,
    scaleSetId,
    runnerId,
    runnerName: name,
    at: isoNow(clock),
    by: `provisioner ${instance}`,
    ...(failure ? { reason: failure.class, text: failure.text } : {}),
  };
  const options = { messageId: `${step}-${runnerId}`, traceparent };
  void publisher
    .publishOnce(eventSubject('provisioner', scaleSetId, 'runner', step), event, options)
    .catch((err: unknown) => {
      log.debug({ scaleSetId, runnerId, step, err }, 'event could not be published');
    });
}
