import { type Cause, comparePositions, type Plan, type Runner } from '@baton/shared/contracts';
import { isoOf, type Place, type PlanInput } from './plan-input.ts';

/** Runners of one demand that are told in the trace of its poll; where they are more, each has its own. */
const mostInOneTrace = 10;

interface Naming {
  named: readonly Place[];
  /** The places from before, as far as they are kept. */
  kept: readonly Place[];
  /** Why not all that are asked for are named. */
  waiting: Plan['waiting'];
}

/**
 * Which demand runners are named for, as it will stand in the plan: the one that has not been applied
 * before, or the one that still waits for runners, unless a later one asks for more. Runners that are
 * named for neither (warm ones, replacements, rotation) have none. Pure.
 */
export function nextCause(input: PlanInput, { named, kept, waiting }: Naming): Plan['cause'] {
  const nowIso = isoOf(input.nowMs);
  const before = input.plan?.cause;
  const missing = waiting?.missing ?? 0;
  // One that asks for nobody more leaves those who are named and not recorded to the one before.
  const newer = named.length + missing > 0 ? newCause(input, nowIso) : undefined;
  const cause = newer ?? before;
  if (!cause) return undefined;
  const asks = newer !== undefined || cause.owed > 0;
  const count = asks ? named.length : 0;
  const owed = newer ? missing : Math.min(missing, Math.max(0, cause.owed - count));
  if (owed === 0 && count === 0 && !kept.some((place) => isFor(cause, place))) return undefined;
  const until = count > 0 ? nowIso : cause.until;
  return { ...cause, until, named: cause.named + count, owed };
}

/** A demand without jobs asks for nobody, whatever `minRunners` does. */
function newCause({ demand, plan }: PlanInput, since: string): Cause | undefined {
  if (!demand || demand.assigned === 0) return undefined;
  const applied = plan?.demand;
  if (applied && comparePositions(demand, applied) <= 0) return undefined;
  const isOwed = plan?.cause !== undefined && plan.cause.owed > 0;
  if (isOwed && demand.assigned <= (applied?.assigned ?? 0)) return undefined;
  const { observedAt, traceparent } = demand;
  return { observedAt, traceparent, since, until: since, named: 0, owed: 0 };
}

/** Whether the plan was written with a runner that nobody has recorded yet, for this demand. */
function isFor({ since, until }: Cause, { recorded, namedAt }: Place): boolean {
  return !recorded && namedAt >= since && namedAt <= until;
}

/** The runners that are to be recorded now, whoever named them, and what they were named for. */
export function causes({ cause, runners }: Plan): ReadonlyMap<string, Cause> {
  if (!cause) return new Map();
  const named = runners.filter((place) => isFor(cause, place));
  return new Map(named.map(({ runnerId }) => [runnerId, cause]));
}

/**
 * The trace of a runner that is recorded now: the poll's that asked for it, or its own. `mint` makes the
 * context of its span. Where nobody makes spans that is the poll's, and otherwise there is none.
 */
export function traceOf(
  cause: Cause | undefined,
  mint: (parent?: string) => string | undefined,
): Pick<Runner, 'traceparent' | 'tracedFrom'> {
  const tracedFrom = cause?.traceparent;
  const traceparent = mint(cause && cause.named <= mostInOneTrace ? tracedFrom : undefined);
  if (traceparent === undefined) return {};
  return tracedFrom === undefined ? { traceparent } : { traceparent, tracedFrom };
}
