import { ConfigError } from '@baton/shared/errors';
import {
  type Holder,
  identityTaken,
  type Lease,
  type LeaseStore,
  type LivenessProber,
} from '@baton/shared/lease';
import type { Random } from '@baton/shared/retry';
import type { Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { HolderWatch } from './holder-watch.ts';
import type { Wakeups } from './wakeups.ts';

export interface ContendDeps {
  leases: LeaseStore;
  prober: LivenessProber;
  holders: HolderWatch;
  clock: Clock;
  random: Random;
  log: Logger;
}

interface ContendOptions {
  scaleSetId: string;
  /** How many live listeners are preferred over this one, not counting `gone`. */
  rank: (gone: string | undefined) => number;
  /** Wakes when somebody says that a lease was released. */
  leaseHints: Wakeups;
  signal: AbortSignal;
}

/** A lease that is ours, and how it was got. */
export interface Contended {
  lease: Lease;
  how: 'free' | 'broken' | 'own';
  /** Monotonic time since when it was free, or its holder was silent, as far as it was seen here. */
  goneSince: number;
}

/** How long a listener leaves a free scale set to each one preferred over it, in ms. */
const rankDelayMs = 750;
/** How often a lease is looked at whose holder did not renew it for a while, in ms. */
const expiringMs = 500;
/** After somebody else was faster, in ms. */
const retryMs = 50;
/** An earlier process of ours was silent once: the second probe comes just after 500 ms. */
const suspectMs = 505;

/**
 * Waits until the lease of a scale set is ours. A lease that ran out, was released, or whose holder
 * is dead is taken; a living holder is left alone. While one lives its lease is read about twice a
 * TTL, so that hundreds of leases can be waited for.
 * @throws ConfigError when another living process has our identity.
 */
export async function contend(given: ContendDeps, options: ContendOptions): Promise<Contended> {
  const deps = { ...given, log: given.log.child({ component: 'lease' }) };
  const { clock, log, random } = deps;
  const { scaleSetId, signal, leaseHints } = options;
  const turn: Turn = { freeSince: undefined, goneSince: undefined, held: undefined };
  // Heard from the start: a release between a look and the wait for it would cost half a TTL.
  using hints = leaseHints.listen(scaleSetId);
  for (;;) {
    signal.throwIfAborted();
    let waitMs = expiringMs;
    try {
      const next = await tryOnce(deps, options, turn);
      if (typeof next !== 'number') return next;
      waitMs = next;
    } catch (err) {
      if (err instanceof ConfigError) throw err;
      log.debug({ scaleSetId, err }, 'lease could not be looked at');
    }
    const unwatch = turn.watch && deps.holders.watch(turn.watch, () => leaseHints.wake(scaleSetId));
    const maxMs = waitMs > suspectMs ? waitMs * (0.9 + 0.1 * random()) : waitMs;
    await hints.wait({ clock, maxMs, signal });
    unwatch?.();
  }
}

interface Turn {
  /** Monotonic time since when nobody living was seen to hold the lease. */
  freeSince: number | undefined;
  /** Of the holder, which may have been silent for a while when that proves its death. */
  goneSince: number | undefined;
  /** Who held the lease when it was last seen held, at which revision, seen first when. */
  held: { holder: Holder; revision: number; since: number } | undefined;
  /** The holder whose death is waited for. */
  watch?: Holder | undefined;
}

/** The lease, or how long to wait before the next try, in ms. */
async function tryOnce(
  deps: ContendDeps,
  { scaleSetId, rank }: ContendOptions,
  turn: Turn,
): Promise<Contended | number> {
  turn.watch = undefined;
  const look = await lookAt(deps, scaleSetId);
  if (look.kind === 'held') return waitForHolder(deps, look, turn);
  if (look.kind === 'suspect') return suspectMs;
  const now = deps.clock.monotonic();
  turn.freeSince ??= now;
  turn.goneSince ??= (look.holder && deps.prober.silentSince(look.holder)) ?? now;
  // Whoever held it last is dead, drains, or gives it away.
  const gone = look.holder?.identity ?? turn.held?.holder.identity;
  const readyMs = look.own ? 0 : rank(gone) * rankDelayMs;
  const waitMs = turn.freeSince + readyMs - now;
  if (waitMs > 0) return Math.max(waitMs, retryMs);
  const taken = await take(deps, scaleSetId, look);
  return taken ? { ...taken, goneSince: turn.goneSince } : retryMs;
}

/** Renewed as it should be: looked at again in half a TTL. Otherwise it is about to run out. */
function waitForHolder(
  { clock, leases }: ContendDeps,
  { holder, revision }: Extract<Look, { kind: 'held' }>,
  turn: Turn,
): number {
  turn.freeSince = undefined;
  turn.goneSince = undefined;
  turn.watch = holder;
  if (turn.held?.revision !== revision) {
    turn.held = { holder, revision, since: clock.monotonic() };
  }
  const unchangedMs = clock.monotonic() - turn.held.since;
  return unchangedMs < leases.ttlMs / 3 ? leases.ttlMs / 2 : expiringMs;
}

type Look =
  | { kind: 'held'; holder: Holder; revision: number }
  /** An earlier process of ours holds it, which was silent once. */
  | { kind: 'suspect' }
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
    if (verdict === 'alive') throw identityTaken('listener', me.identity);
    // An earlier process of ours: it had this connection's place, so waiting proves nothing more.
    if (verdict === 'dead') return { kind: 'free', own: true, revision, holder };
    return { kind: 'suspect' };
  }
  const dead = verdict === 'dead' && prober.trustsSilence;
  return dead ? { kind: 'free', own: false, revision, holder } : { kind: 'held', holder, revision };
}

async function take(
  { leases, log }: ContendDeps,
  scaleSetId: string,
  { own, revision }: Extract<Look, { kind: 'free' }>,
): Promise<Omit<Contended, 'goneSince'> | undefined> {
  if (revision !== undefined) {
    const broken = await leases.break(scaleSetId, revision);
    if (!broken) return undefined;
    log.info({ scaleSetId, leaseRevision: revision }, 'lease of a dead holder broken');
  }
  const lease = await leases.tryAcquire(scaleSetId);
  if (!lease) return undefined;
  return { lease, how: own ? 'own' : revision === undefined ? 'free' : 'broken' };
}
