import { ConfigError } from '@baton/shared/errors';
import type { Holder, Lease, LeaseStore, LivenessProber, Verdict } from '@baton/shared/lease';
import type { Random } from '@baton/shared/retry';
import type { Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { Wakeups } from './wakeups.ts';

export interface ContendDeps {
  leases: LeaseStore;
  prober: LivenessProber;
  clock: Clock;
  random: Random;
  log: Logger;
}

interface ContendOptions {
  scaleSetId: string;
  /** How many live listeners are preferred over this one, not counting `dead`. */
  rank: (dead: string | undefined) => number;
  /** Wakes when somebody says that a lease was released. */
  leaseHints: Wakeups;
  signal: AbortSignal;
}

/** How long a listener leaves a free scale set to each one preferred over it, in ms. */
const rankDelayMs = 750;
const lookAgainMs = 500;
/** After somebody else was faster, in ms. */
const retryMs = 50;
/** While a holder is suspected to be dead: the second probe comes just after 500 ms. */
const suspectMs = 285;

/**
 * Waits until the lease of a scale set is ours. A lease that ran out, was released, or whose holder
 * is dead is taken; a living holder is left alone.
 * @throws ConfigError when another living process has our identity.
 */
export async function contend(deps: ContendDeps, options: ContendOptions): Promise<Lease> {
  const { clock, log, random } = deps;
  const { scaleSetId, signal, leaseHints } = options;
  const turn: Turn = { freeSince: undefined };
  for (;;) {
    signal.throwIfAborted();
    let waitMs = lookAgainMs;
    try {
      const next = await tryOnce(deps, options, turn);
      if (typeof next !== 'number') return next;
      waitMs = next;
    } catch (err) {
      if (err instanceof ConfigError) throw err;
      log.debug({ scaleSetId, err }, 'lease could not be looked at');
    }
    const maxMs = waitMs * (0.9 + 0.1 * random());
    await leaseHints.waitFor(scaleSetId, { clock, maxMs, signal });
  }
}

interface Turn {
  /** Monotonic time since when nobody living was seen to hold the lease. */
  freeSince: number | undefined;
}

/** The lease, or how long to wait before the next try, in ms. */
async function tryOnce(
  deps: ContendDeps,
  { scaleSetId, rank }: ContendOptions,
  turn: Turn,
): Promise<Lease | number> {
  const look = await lookAt(deps, scaleSetId);
  if (look.kind === 'held') {
    turn.freeSince = undefined;
    return look.verdict === 'suspect' ? suspectMs : lookAgainMs;
  }
  const now = deps.clock.monotonic();
  turn.freeSince ??= now;
  const readyMs = look.own ? 0 : rank(look.holder?.identity) * rankDelayMs;
  const waitMs = turn.freeSince + readyMs - now;
  if (waitMs > 0) return Math.max(waitMs, retryMs);
  return (await take(deps, scaleSetId, look.revision)) ?? retryMs;
}

type Look =
  | { kind: 'held'; verdict: Verdict }
  /** Free, or held by one that is dead: then `revision` is what has to be broken. */
  | { kind: 'free'; own: boolean; revision?: number; holder?: Holder };

async function lookAt(deps: ContendDeps, scaleSetId: string): Promise<Look> {
  const { leases, prober } = deps;
  const entry = await leases.read(scaleSetId);
  if (!entry) return { kind: 'free', own: false };
  const { value: holder, revision } = entry;
  const me = leases.holder;
  // Ours, from before: it was lost here, and its last renewal arrived all the same.
  if (holder.incarnation === me.incarnation) return { kind: 'free', own: true, revision, holder };
  const verdict = await prober.check(holder);
  if (holder.identity === me.identity) {
    if (verdict === 'alive') throw identityTaken(me.identity);
    // An earlier process of ours: it had this connection's place, so waiting proves nothing more.
    if (verdict === 'dead') return { kind: 'free', own: true, revision, holder };
    return { kind: 'held', verdict: 'suspect' };
  }
  const trusted = prober.trustsSilence;
  if (verdict === 'dead' && trusted) return { kind: 'free', own: false, revision, holder };
  return { kind: 'held', verdict: trusted ? verdict : 'unknown' };
}

async function take(
  { leases, log }: ContendDeps,
  scaleSetId: string,
  breakRevision: number | undefined,
): Promise<Lease | undefined> {
  if (breakRevision !== undefined) {
    const broken = await leases.break(scaleSetId, breakRevision);
    if (!broken) return undefined;
    log.info({ scaleSetId, leaseRevision: breakRevision }, 'lease of a dead holder broken');
  }
  return await leases.tryAcquire(scaleSetId);
}

function identityTaken(identity: string): ConfigError {
  return new ConfigError(
    `another living listener uses the identity "${identity}": give each process its own BATON_INSTANCE`,
  );
}
