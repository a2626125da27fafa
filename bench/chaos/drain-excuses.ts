import type { Disturbance, Drain } from './driver.ts';

/** The end of a drain's budget, which is kept for NATS when GitHub does not answer; in ms. */
const lastMs = 5_000;

/**
 * Drains that failed and that nothing excuses. A listener waits for a session that it asked for until most of
 * its budget is used up, because only the answer says which one GitHub has now; when NATS is away in what is
 * left, nothing can be handed over. Either alone excuses nothing. Pure.
 */
export function brokenDrains(
  drains: readonly Drain[],
  disturbances: readonly Disturbance[],
): Drain[] {
  return drains.filter((drain) => drain.exitCode !== 0 && !isExcused(drain, disturbances));
}

function isExcused({ name, fromMs, toMs }: Drain, disturbances: readonly Disturbance[]): boolean {
  const meets = (disturbance: Disturbance, sinceMs: number) =>
    disturbance.fromMs <= toMs && disturbance.toMs >= sinceMs;
  const hangs = disturbances.some(
    (one) =>
      one.step.kind === 'fault' &&
      one.step.fault.what === 'long outage' &&
      one.step.fault.how === 'hang' &&
      meets(one, fromMs),
  );
  const isNatsAway = disturbances.some((one) => one.where === 'nats' && meets(one, toMs - lastMs));
  return name.startsWith('listener-') && hangs && isNatsAway;
}
