/**
 * Who goes first when not all may go: what keeps sessions comes before what makes runners, and that
 * before what removes them.
 */
export const callPriorities = ['session', 'jit', 'other', 'cleanup'] as const;
export type CallPriority = (typeof callPriorities)[number];

/** What GitHub said is left of a primary limit. Times are of the monotonic clock, in ms. */
export interface Budget {
  limit: number;
  remaining: number;
  resetsAtMs: number;
}

/** What is known about one limited thing: a credential at the REST API, or a service host. */
export interface GateState {
  /** No call before this; in the past when there is no limit. Monotonic ms. */
  closedUntilMs: number;
  budget: Budget | undefined;
  /** How many calls may be under way, besides those that hang. */
  width: number;
  running: Running;
}

/** Calls under way. */
export interface Running {
  session: number;
  others: number;
  /** Without an answer for `hungAfterMs`: they count for `mostAtOnce` only. */
  hung: number;
}

/** `untilMs`: not before then. Without it: when a call under way has ended. */
export type Admission = { kind: 'go' } | { kind: 'wait'; untilMs?: number };

export const fullWidth = 64;
/** After a limit: this many at first, one more with each call that succeeds. */
export const firstWidth = 4;
/** So a start with a thousand scale sets opens its sessions sixteen at a time. */
const sessionWidth = 16;
/**
 * The widths exist so that not all is asked at one moment. Calls that hang were asked long ago, and
 * must not hold back those of healthy scale sets until their own deadline.
 */
export const hungAfterMs = 1_000;
/** However many of them hang. */
export const mostAtOnce = 256;

/** The share of a primary limit that is left to those who are more important. */
const reservedShare: Readonly<Record<CallPriority, number>> = {
  session: 0,
  jit: 0.02,
  other: 0.05,
  cleanup: 0.1,
};

/** Whether a call of this priority may be sent now. Pure. */
export function decideAdmission(
  { closedUntilMs, budget, width, running }: GateState,
  priority: CallPriority,
  nowMs: number,
): Admission {
  if (nowMs < closedUntilMs) return { kind: 'wait', untilMs: closedUntilMs };
  if (budget && nowMs < budget.resetsAtMs && isUsedUp(budget, priority)) {
    return { kind: 'wait', untilMs: budget.resetsAtMs };
  }
  const lively = running.session + running.others;
  if (lively >= width || lively + running.hung >= mostAtOnce) return { kind: 'wait' };
  const full =
    priority === 'session'
      ? running.session >= sessionWidth
      : running.others >= Math.max(1, width - Math.ceil(width / 4));
  return full ? { kind: 'wait' } : { kind: 'go' };
}

function isUsedUp({ limit, remaining }: Budget, priority: CallPriority): boolean {
  return remaining <= limit * reservedShare[priority];
}

/** A limit that GitHub set, as far as its length depends on it. */
interface Limitation {
  /** What GitHub asked for, in ms. */
  retryAfterMs: number | undefined;
  /** `rest`: secondary limits come without a time and ask for a minute, then for more. */
  api: 'rest' | 'service';
  /** How many limits have followed each other without a success, with this one. */
  strikes: number;
}

const unnamedPause = {
  rest: { firstMs: 60_000, maxMs: 15 * 60_000 },
  service: { firstMs: 5_000, maxMs: 60_000 },
} as const;
/** A primary limit starts again within the hour. */
export const longestPauseMs = 65 * 60_000;

/** How long nothing is sent after a limit, in ms. Pure. */
export function pauseAfterLimit({ retryAfterMs, api, strikes }: Limitation): number {
  if (retryAfterMs !== undefined) return clamp(retryAfterMs, 1_000, longestPauseMs);
  const { firstMs, maxMs } = unnamedPause[api];
  return Math.min(firstMs * 2 ** (strikes - 1), maxMs);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
