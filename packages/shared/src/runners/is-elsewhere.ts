import type { Runner } from '../contracts/index.ts';

/**
 * Whether the runner's instance is, or is being made, on a host that the given provider does not see:
 * who has only that provider can neither find nor judge nor delete it, and leaves it to that host's
 * services. A runner without a host is everybody's.
 */
export function isElsewhere(
  { hostId }: Pick<Runner, 'hostId'>,
  provider: { readonly hostId?: string } | undefined,
): boolean {
  return hostId !== undefined && hostId !== provider?.hostId;
}

/**
 * Whether the given provider is the one that can act on the runner's instance, and no provider of
 * another host can: its services look after it by themselves, because a command about it would reach
 * any of them.
 */
export function isBoundHere(
  { hostId }: Pick<Runner, 'hostId'>,
  provider: { readonly hostId?: string } | undefined,
): boolean {
  return hostId !== undefined && hostId === provider?.hostId;
}
