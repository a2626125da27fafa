import type { SweepName, SweepState } from '@baton/shared/contracts';
import { errorText } from '@baton/shared/errors';
import { isoNow } from '@baton/shared/time';
import { recentOf } from './core/guard.ts';
import { type Led, runSweep, type SweepDeps } from './run-sweep.ts';
import type { SweepMetrics } from './sweep-metrics.ts';
import type { SweepResult } from './sweep-run.ts';
import { SweepSpan } from './sweep-span.ts';
import { StandingState, type StateDeps } from './sweep-state.ts';
import { tellHold } from './tell-hold.ts';

export interface RunDeps extends SweepDeps, StateDeps {
  metrics: SweepMetrics;
}

interface RunOptions {
  dryRun: boolean;
  /** Nothing is begun any more once it is aborted. */
  signal: AbortSignal;
  /** Aborted when this process does not lead any more: nothing is written down then. */
  lead: AbortSignal;
}

/**
 * A run with all that is written and told about it: the state record, numbers, the log. A dry run
 * leaves no trace.
 * @throws what the run failed with; the state record then says why nothing was decided.
 */
export async function recordedRun(
  deps: RunDeps,
  led: Led,
  { dryRun, signal, lead }: RunOptions,
): Promise<SweepResult> {
  const standing = new StandingState(deps, led.part);
  const record = new RunRecord(deps, standing);
  const known = await standing.read();
  const announce = (planned: SweepResult) => record.write(planned);
  const span = new SweepSpan(led.part, deps.clock);
  const options = { standing: known, dryRun, signal, announce, span };
  if (dryRun) return await runSweep(deps, led, options);
  const part = { sweep: led.part.sweep.name, hostId: led.part.hostId };
  try {
    const result = await runSweep(deps, led, options);
    lead.throwIfAborted();
    const ended = signal.aborted ? [result.problem, errorText(signal.reason)] : [result.problem];
    const whole = { ...result, problem: ended.filter(Boolean).join('; ') || undefined };
    await record.write(whole);
    await tellHold(deps, led.part, { before: known.state?.hold, now: whole.hold });
    deps.metrics.ran(part, whole.problem === undefined ? 'done' : 'problem', whole);
    logRun(deps, part, whole);
    return whole;
  } catch (error) {
    deps.metrics.ran(part, 'failed', undefined);
    if (!lead.aborted) span.failed(error);
    if (!lead.aborted) await record.writeFailure(known.state, error);
    throw error;
  }
}

/** What is written down about one run, by who leads. */
class RunRecord {
  readonly #deps: RunDeps;
  readonly #standing: StandingState;
  readonly #startedAt: string;
  readonly #startMs: number;

  constructor(deps: RunDeps, standing: StandingState) {
    this.#deps = deps;
    this.#standing = standing;
    this.#startedAt = isoNow(deps.clock);
    this.#startMs = deps.clock.monotonic();
  }

  async write(result: Omit<SweepResult, 'found'>): Promise<void> {
    const { clock, instance } = this.#deps;
    const { lookedAt, acted, left, recent, hold, problem } = result;
    await this.#standing.write({
      by: instance,
      startedAt: this.#startedAt,
      tookMs: Math.round(clock.monotonic() - this.#startMs),
      lookedAt,
      acted: Object.values(acted).reduce((sum, count) => sum + count, 0),
      left,
      recent,
      hold,
      problem,
    });
  }

  /** Best effort: what failed may be NATS itself. What was held, and counts for the guard, stays. */
  async writeFailure(before: SweepState | undefined, error: unknown): Promise<void> {
    const { clock, log } = this.#deps;
    try {
      await this.write({
        lookedAt: 0,
        acted: { mark: 0, adopt: 0, deregister: 0 },
        left: {},
        recent: recentOf(before?.recent ?? [], clock.now()),
        hold: before?.hold,
        problem: errorText(error),
      });
    } catch (err) {
      log.debug({ err }, 'a failed run could not be written down');
    }
  }
}

/** A run that finds nothing to do is none of the operator's business. */
function logRun(
  { log }: RunDeps,
  part: { sweep: SweepName; hostId: string | undefined },
  result: SweepResult,
): void {
  const { lookedAt, acted, left, hold, problem } = result;
  const { sweep, hostId } = part;
  const said = { sweep, hostId, lookedAt, acted, left, held: hold?.count, problem };
  const isNews =
    Object.values(acted).some((count) => count > 0) || hold !== undefined || problem !== undefined;
  if (isNews) log.info(said, 'sweep ran');
  else log.debug(said, 'sweep ran');
}
