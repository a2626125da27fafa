import type { Gap } from '../polls.ts';
import type { Disturbance, Drain } from './driver.ts';

/** How the system under test is set up, in ms. */
export interface Timing {
  leaseTtlMs: number;
  /** After so long the simulator frees the session of a client that is silent. */
  sessionExpiryMs: number;
}

/** Something that keeps a scale set from being polled. All wall clock, in ms. */
export interface Excuse {
  fromMs: number;
  /** When the scale set should be polled again, as far as this is concerned. */
  untilMs: number;
  why: string;
  /** The scale set has to be taken by somebody. */
  takeover?: true;
  /** Of a listener that the books do not show with the scale set in this gap; see `allowedUntil`. */
  unseen?: 'calling' | 'silent';
}

/** Listeners that the books show in a gap. */
export interface Involved {
  /** They polled the scale set before the gap or after it, or called GitHub about it in between. */
  shown: ReadonlySet<string>;
  /** A call of theirs was spoiled that is about no scale set, as those for a token are. */
  calling: ReadonlySet<string>;
}

/** The mark of an excuse of this listener. */
export function unseenMark(by: string, { shown, calling }: Involved): Pick<Excuse, 'unseen'> {
  if (shown.has(by)) return {};
  return { unseen: calling.has(by) ? 'calling' : 'silent' };
}

export interface StrikeEvidence {
  disturbances: readonly Disturbance[];
  /** The listeners that there are. */
  listeners: readonly string[];
  drains: readonly Drain[];
}

type Strike = Disturbance & { step: { kind: 'strike' } };

/**
 * From where nothing stands in the way any more to the poll: a process starts and resumes its session
 * within 2.5 s, and somebody who finds a lease free takes at most 2 s; in ms, with what a machine adds
 * on which other things run.
 */
export const takeMs = 3_000;
/** Another listener that lives resumes the sessions of one that died, in ms: 3 s, and as above. */
const promptMs = 4_000;
/**
 * It resumes those that are handed to it within a second, by one that was told to end too; in ms, with a
 * second for a machine on which other things run.
 */
export const handOverMs = 2_000;
/** A listener believes silence only when it has been connected for 5.4 s, in ms; with its start. */
const trustMs = 7_000;
/** A process that has come back does nothing for so long: it starts. Part of `takeMs`. */
const startMs = 1_500;
/** From the end of the last poll to the word that the lease is free, in ms. */
const releaseMs = 1_000;
/** When NATS is away again so soon, leases may not have been renewed in between, in ms. */
const renewalMs = 4_000;

/** What strikes excuse in this gap. */
export function excusesOfStrikes(
  gap: Gap,
  involved: Involved,
  { disturbances, listeners, drains }: StrikeEvidence,
  { leaseTtlMs }: Timing,
): Excuse[] {
  const strikes = disturbances.filter(isStrike);
  const outages = joined(strikes.filter(({ where }) => where === 'nats'));
  const ofListeners = strikes.filter(({ where }) => listeners.includes(where));
  return [
    ...outages.map((outage) => excuseOfNats(outage, gap, leaseTtlMs)),
    ...ofListeners.map((strike) => ({
      ...excuseOfListener(strike, gap, { ofListeners, outages, listeners, leaseTtlMs }),
      ...unseenMark(strike.where, involved),
    })),
    ...whileAllAway(ofListeners, listeners, drains),
  ];
}

interface Span {
  fromMs: number;
  toMs: number;
}

interface Circumstances {
  ofListeners: readonly Strike[];
  outages: readonly Span[];
  listeners: readonly string[];
  leaseTtlMs: number;
}

/**
 * While NATS is away nobody can take anything, and messages wait; `takeMs` longer. After half a TTL
 * holders may have given up what they hold. Who stopped polling just then may have lost the word that the
 * lease is free: it runs out.
 */
function excuseOfNats({ fromMs, toMs }: Span, gap: Gap, leaseTtlMs: number): Excuse {
  const unheard = fromMs <= gap.fromMs + releaseMs && toMs >= gap.fromMs;
  const leaseEndMs = unheard ? gap.fromMs + leaseTtlMs : toMs;
  const excuse = { fromMs, untilMs: Math.max(toMs, leaseEndMs) + takeMs, why: 'nats' };
  return toMs - fromMs < leaseTtlMs / 2 ? excuse : { ...excuse, takeover: true };
}

/**
 * Until the lease of the listener has run out, or it is back, whichever is sooner, and `takeMs` longer;
 * or until another one can take it, if that is sooner. The lease counts from the strike; from the return of
 * NATS when that was away; a listener that drains holds it until it stops polling.
 */
function excuseOfListener(strike: Strike, gap: Gap, around: Circumstances): Excuse {
  const { fromMs, toMs, step, text } = strike;
  const goneAt = step.how === 'terminate' ? Math.max(fromMs, gap.fromMs) : fromMs;
  const outage = around.outages.find((span) => span.fromMs <= goneAt && goneAt <= span.toMs);
  const leaseEndMs = (outage?.toMs ?? goneAt) + around.leaseTtlMs;
  const slowMs = Math.min(leaseEndMs, toMs) + takeMs;
  const peerMs =
    step.how === 'terminate'
      ? releasedUntil(strike, goneAt, around)
      : brokenUntil(strike, goneAt, around);
  return { fromMs, untilMs: Math.min(slowMs, peerMs), why: text, takeover: true };
}

/** A lease that is released is taken by the first one that is there, if NATS carries the word. */
function releasedUntil(
  { where }: Strike,
  goneAt: number,
  { ofListeners, outages, listeners }: Circumstances,
): number {
  const disturbs = (span: Span) =>
    span.fromMs <= goneAt + handOverMs && span.toMs + takeMs >= goneAt;
  if (outages.some(disturbs)) return Number.POSITIVE_INFINITY;
  const others = listeners.filter((name) => name !== where);
  return Math.min(
    ...others.map((other) => {
      const strikes = ofListeners.filter((strike) => strike.where === other && disturbs(strike));
      return Math.max(goneAt + handOverMs, ...strikes.map(({ toMs }) => toMs + takeMs));
    }),
  );
}

/** One that died is seen at once by another that lives, if neither that nor NATS was away lately. */
function brokenUntil(
  { where, step }: Strike,
  goneAt: number,
  { ofListeners, outages, listeners }: Circumstances,
): number {
  // A frozen process is not dead.
  if (step.how === 'freeze') return Number.POSITIVE_INFINITY;
  const disturbs = (span: Span) =>
    span.fromMs <= goneAt + promptMs && span.toMs + trustMs >= goneAt;
  if (outages.some(disturbs)) return Number.POSITIVE_INFINITY;
  const isSeen = listeners.some(
    (other) =>
      other !== where && !ofListeners.some((strike) => strike.where === other && disturbs(strike)),
  );
  return isSeen ? goneAt + promptMs : Number.POSITIVE_INFINITY;
}

/**
 * While no listener is there that could do anything, and `takeMs` from the return of the first one. One that
 * drains is there until its process has ended.
 */
function whileAllAway(
  strikes: readonly Strike[],
  listeners: readonly string[],
  drains: readonly Drain[],
): Excuse[] {
  const spans = listeners.map((listener) =>
    strikes
      .filter(({ where }) => where === listener)
      .map((strike) => ({ fromMs: awayFrom(strike, drains), toMs: strike.toMs + startMs })),
  );
  const [first = [], ...rest] = spans;
  const common = rest.reduce<Span[]>(
    (found, others) => found.flatMap((span) => others.flatMap((other) => overlap(span, other))),
    first,
  );
  return common.map(({ fromMs, toMs }) => ({
    fromMs,
    untilMs: toMs - startMs + takeMs,
    why: 'no listener is there',
    takeover: true,
  }));
}

function awayFrom({ step, where, fromMs, toMs }: Strike, drains: readonly Drain[]): number {
  if (step.how !== 'terminate') return fromMs;
  const drain = drains.find(
    ({ name, ...times }) => name === where && times.fromMs >= fromMs && times.fromMs <= toMs,
  );
  return drain?.toMs ?? toMs;
}

function overlap(a: Span, b: Span): Span[] {
  const span = { fromMs: Math.max(a.fromMs, b.fromMs), toMs: Math.min(a.toMs, b.toMs) };
  return span.fromMs < span.toMs ? [span] : [];
}

/** Outages with less than a renewal between them are one. */
function joined(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const { fromMs, toMs } of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = result.at(-1);
    if (last && fromMs - last.toMs < renewalMs) last.toMs = Math.max(last.toMs, toMs);
    else result.push({ fromMs, toMs });
  }
  return result;
}

function isStrike(disturbance: Disturbance): disturbance is Strike {
  return disturbance.step.kind === 'strike';
}
