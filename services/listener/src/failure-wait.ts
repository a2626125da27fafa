import { AppError, errorText } from '@baton/shared/errors';
import { backoffMs, type Random } from '@baton/shared/retry';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isAborted } from '@baton/shared/time';
import type { SessionReporter } from './session-reporter.ts';
import { StuckError } from './step-watch.ts';
import type { Wakeups } from './wakeups.ts';

interface FailureDeps {
  clock: Clock;
  random: Random;
  log: Logger;
  /** Wakes when something was changed that may end the failure. */
  specHints: Wakeups;
  reports: Pick<SessionReporter, 'failed'>;
}

const policy = { baseMs: 1_000, maxMs: 60_000, minMs: 500 };
/** The longest wait where trying again helps nobody before something is changed, in ms. */
const refusedMaxMs = 300_000;
/** How long a listener whose loop stood still leaves the scale set to others, in ms. */
const stuckPauseMs = 15_000;
/** A failure so long after the wait for the one before is the first again, in ms. */
const longAgoMs = 60_000;
/** After what passes by itself, in ms. */
const passingMs = 200;

/** What follows when a scale set could not be served: it is told, and after a while tried again. */
export class FailureWait {
  readonly #deps: FailureDeps;
  readonly #scaleSetId: string;
  #failures = 0;
  /** The last failure that was told. */
  #last: { waitMs: number; at: number } | undefined;
  /** A failure that was told and left to the caller. */
  #thrown: unknown;

  constructor(deps: FailureDeps, scaleSetId: string) {
    this.#deps = deps;
    this.#scaleSetId = scaleSetId;
  }

  /** The next failure is the first again. */
  forget(): void {
    this.#failures = 0;
  }

  /**
   * Repeats `work` after failures, with growing waits, while another listener failed before. One who
   * gives up what nobody can serve gives it to the next who fails, and so on for ever; when the waits
   * have grown to their longest it is given up all the same, because a third may be able to.
   * @throws what `work` fails with, told already, when another listener should try; or when `signal`
   * was aborted.
   */
  async outlast(
    work: () => Promise<void>,
    signal: AbortSignal,
    failedElsewhere: () => Promise<boolean>,
  ): Promise<void> {
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        if (isAborted(signal)) throw error;
        this.#tell(error);
        if (this.#waitsLongest || !((await failedElsewhere()) && mayConcernAll(error))) {
          this.#thrown = error;
          throw error;
        }
        await this.#wait(signal);
      }
    }
  }

  /** Tells the failure, if it was not told, and waits for the time of the next attempt. Never rejects. */
  async tellAndWait(error: unknown, signal: AbortSignal): Promise<void> {
    if (this.#thrown !== error) this.#tell(error);
    this.#thrown = undefined;
    await this.#wait(signal);
  }

  #tell(error: unknown): void {
    const { log, reports, clock } = this.#deps;
    const { at, waitMs: waitedMs } = this.#last ?? { at: clock.monotonic(), waitMs: 0 };
    if (clock.monotonic() - at - waitedMs > longAgoMs) this.#failures = 0;
    const waitMs = this.#waitAfter(error);
    this.#failures += 1;
    this.#last = { waitMs, at: clock.monotonic() };
    if (isPassing(error)) log.warn({ err: error }, 'scale set given up for now');
    else if (error instanceof AppError) {
      log.error({ reason: errorText(error), waitMs }, 'scale set cannot be served');
      reports.failed(error);
    } else log.error({ err: error, waitMs }, 'scale set failed unexpectedly');
  }

  get #waitsLongest(): boolean {
    return this.#last !== undefined && this.#last.waitMs >= policy.maxMs / 2;
  }

  /** Until the next attempt, or until something was changed. */
  async #wait(signal: AbortSignal): Promise<void> {
    const { clock, specHints } = this.#deps;
    const maxMs = this.#last?.waitMs ?? 0;
    await specHints.waitFor(this.#scaleSetId, { clock, maxMs, signal });
  }

  #waitAfter(error: unknown): number {
    if (isPassing(error)) return passingMs;
    const refused = error instanceof AppError && !error.retryable;
    const maxMs = refused ? refusedMaxMs : policy.maxMs;
    const backoff = Math.round(backoffMs(this.#failures, { ...policy, maxMs }, this.#deps.random));
    // Long enough for every other listener to be ready before this one.
    return error instanceof StuckError ? Math.max(stuckPauseMs, backoff) : backoff;
  }
}

/** Whether GitHub or the declaration is to blame, so that another listener may fail in the same way. */
function mayConcernAll(error: unknown): boolean {
  return error instanceof AppError && !isPassing(error) && !(error instanceof StuckError);
}

function isPassing(error: unknown): boolean {
  const passing = error instanceof AppError && error.retryable;
  return passing && (error.code === 'nats' || error.code === 'conflict');
}
