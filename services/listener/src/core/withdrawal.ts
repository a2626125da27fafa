/** When a scale set that cannot run anything leaves its jobs to others. All times in ms. */
export interface WithdrawalPolicy {
  /** So long no runner could have been started. */
  emptyMs: number;
  /** So long a session is kept at least, however often the capacity comes and goes. */
  minSessionMs: number;
  /** So long GitHub may go without a poll: it deletes scale sets that are not polled for a day. */
  maxAwayMs: number;
}

export const defaultWithdrawalPolicy: WithdrawalPolicy = {
  emptyMs: 600_000,
  minSessionMs: 60_000,
  maxAwayMs: 12 * 3_600_000,
};

interface Situation {
  /** For how long the advertised capacity has been 0; undefined when it is not. */
  emptyForMs: number | undefined;
  /** For how long the session has been open. */
  openForMs: number;
  /** Runners of the plan; undefined when no plan was ever read. */
  aliveCount: number | undefined;
  /** Jobs that GitHub has assigned to the scale set. */
  assigned: number;
}

/**
 * Whether the session is to be closed: an open session makes GitHub give the scale set jobs that
 * another one with the same labels could run, and a job that is given does not move. Never while
 * runners live or jobs are assigned. Pure.
 */
export function shouldWithdraw(situation: Situation, policy: WithdrawalPolicy): boolean {
  const { emptyForMs, openForMs, aliveCount = 0, assigned } = situation;
  return (
    emptyForMs !== undefined &&
    emptyForMs >= policy.emptyMs &&
    openForMs >= policy.minSessionMs &&
    aliveCount === 0 &&
    assigned === 0
  );
}

/** Whether a closed session is to be opened again: there is room, or GitHub must hear of us. Pure. */
export function shouldReturn(
  { capacity, awayForMs }: { capacity: number; awayForMs: number },
  policy: WithdrawalPolicy,
): boolean {
  return capacity > 0 || awayForMs >= policy.maxAwayMs;
}
