import type { Random } from '@baton/shared/retry';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, notNeeded } from '@baton/shared/time';
import { type Call, CallsUnderWay } from './calls-under-way.ts';
import {
  type Admission,
  type Budget,
  type CallPriority,
  callPriorities,
  decideAdmission,
  firstWidth,
  fullWidth,
  type GateState,
  pauseAfterLimit,
} from './decide-admission.ts';
import { GitHubApiError } from './errors.ts';
import { type RateLimit, readRateLimit, readServerTime } from './rate-limit.ts';
import type { HttpAnswer } from './transport.ts';

interface GateOptions {
  clock: Clock;
  random: Random;
  log: Logger;
  /** Whose limit it is, for the log. */
  host: string;
  api: 'rest' | 'service';
  credential?: string | undefined;
  /** Ends every wait. */
  closed: AbortSignal;
}

/** A call that wants to be sent. */
interface Applicant {
  what: string;
  priority: CallPriority;
  /** Its deadline, of the monotonic clock: it is not kept waiting for what begins later. */
  endsAtMs: number;
  signal: AbortSignal;
}

interface Waiter extends Applicant {
  resolve: (call: Call) => void;
  reject: (error: Error) => void;
}

/** What is known of a limit, for people. */
export interface LimitReport {
  host: string;
  api: 'rest' | 'service';
  /** Whose it is, as `credentialKey` says it; undefined where all share it. */
  credential: string | undefined;
  /** How long calls are still held back, in ms. */
  closedForMs: number;
  waiting: number;
  /** Of the primary limit; undefined where GitHub does not say. */
  remaining: number | undefined;
  limit: number | undefined;
}

/** The spread of what starts when a limit ends: other processes wait for the same moment. */
const spreadMs = 500;

/**
 * The calls of a process that share one of GitHub's limits. When one of them is told to wait, all
 * wait: by priority, until their own deadline, and those that the limit outlasts fail at once as
 * `rate-limited`. When it ends they start few at a time. A call that hangs holds back nobody else.
 * Polls and acknowledgements never pass here.
 */
export class CallGate {
  readonly #options: GateOptions;
  readonly #waiting: Readonly<Record<CallPriority, Set<Waiter>>>;
  readonly #calls: CallsUnderWay;
  readonly #state: GateState;
  #strikes = 0;
  /** Counts the limits, so that calls that were under way when one struck are known. */
  #limits = 0;
  /** What was said last of the primary limit, by refusals too. */
  #told: Budget | undefined;
  #alarm: { atMs: number; controller: AbortController } | undefined;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#calls = new CallsUnderWay(options.clock);
    this.#state = {
      closedUntilMs: Number.NEGATIVE_INFINITY,
      budget: undefined,
      width: fullWidth,
      running: this.#calls.running,
    };
    this.#waiting = { session: new Set(), jit: new Set(), other: new Set(), cleanup: new Set() };
    options.closed.addEventListener('abort', () => this.#turnAllAway(), { once: true });
  }

  /** Sends when it is this call's turn. Fails as `rate-limited`, unsent, when that comes too late. */
  async run(applicant: Applicant, send: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const call = await this.#enter(applicant);
    const limitsBefore = this.#limits;
    try {
      const answer = await send();
      this.#learnSuccess(answer);
      return answer;
    } catch (error) {
      if (error instanceof GitHubApiError) this.#learnFailure(error, limitsBefore);
      throw error;
    } finally {
      this.#calls.end(call);
      this.#admitWaiting();
    }
  }

  report(): LimitReport {
    const { closedUntilMs } = this.#state;
    const { host, api, credential } = this.#options;
    const told = this.#told && this.#told.resetsAtMs > this.#now ? this.#told : undefined;
    return {
      host,
      api,
      credential,
      closedForMs: Math.max(0, closedUntilMs - this.#now),
      waiting: callPriorities.reduce((sum, priority) => sum + this.#waiting[priority].size, 0),
      remaining: told?.remaining,
      limit: told?.limit,
    };
  }

  get #now(): number {
    return this.#options.clock.monotonic();
  }

  async #enter(applicant: Applicant): Promise<Call> {
    applicant.signal.throwIfAborted();
    this.#options.closed.throwIfAborted();
    const { priority } = applicant;
    this.#calls.setHungAside();
    const behind = this.#waiting[priority].size > 0;
    const admission = behind ? undefined : decideAdmission(this.#state, priority, this.#now);
    if (admission?.kind === 'go') return this.#calls.begin(priority);
    return await new Promise<Call>((resolve, reject) => {
      const queue = this.#waiting[priority];
      const onAbort = () => {
        queue.delete(waiter);
        reject(reasonOf(applicant.signal));
      };
      const settle = () => applicant.signal.removeEventListener('abort', onAbort);
      const waiter: Waiter = {
        ...applicant,
        resolve: (call) => {
          settle();
          resolve(call);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      applicant.signal.addEventListener('abort', onAbort, { once: true });
      queue.add(waiter);
      this.#admitWaiting();
    });
  }

  #admitWaiting(): void {
    this.#calls.setHungAside();
    let wakeAtMs = Number.POSITIVE_INFINITY;
    for (const priority of callPriorities) {
      const stop = this.#admitQueue(priority);
      const untilMs = stop && (stop.untilMs ?? this.#calls.nextHangsAtMs);
      if (untilMs !== undefined) wakeAtMs = Math.min(wakeAtMs, untilMs);
    }
    if (Number.isFinite(wakeAtMs)) this.#wakeAt(wakeAtMs);
  }

  /** Lets in whom it can, and says why the others must wait. */
  #admitQueue(priority: CallPriority): Extract<Admission, { kind: 'wait' }> | undefined {
    const queue = this.#waiting[priority];
    for (const waiter of queue) {
      const admission = decideAdmission(this.#state, priority, this.#now);
      if (admission.kind === 'wait') {
        if (admission.untilMs !== undefined) this.#turnAway(queue, admission.untilMs);
        return queue.size > 0 ? admission : undefined;
      }
      queue.delete(waiter);
      waiter.resolve(this.#calls.begin(priority));
    }
    return undefined;
  }

  /** Those whose deadline comes first have nothing to wait for. */
  #turnAway(queue: Set<Waiter>, untilMs: number): void {
    for (const waiter of queue) {
      if (waiter.endsAtMs > untilMs) continue;
      queue.delete(waiter);
      waiter.reject(this.#limitedError(waiter.what, untilMs - this.#now));
    }
  }

  #turnAllAway(): void {
    this.#alarm?.controller.abort(notNeeded);
    for (const queue of Object.values(this.#waiting)) {
      for (const waiter of queue) waiter.reject(reasonOf(this.#options.closed));
      queue.clear();
    }
  }

  #wakeAt(atMs: number): void {
    const { clock, random } = this.#options;
    if (this.#alarm && this.#alarm.atMs <= atMs) return;
    this.#alarm?.controller.abort(notNeeded);
    const controller = new AbortController();
    this.#alarm = { atMs, controller };
    void clock.sleep(atMs - this.#now + random() * spreadMs, controller.signal).then(
      () => {
        this.#alarm = undefined;
        this.#admitWaiting();
      },
      () => undefined,
    );
  }

  #learnSuccess(answer: HttpAnswer): void {
    this.#learnBudget(answer);
    if (this.#now < this.#state.closedUntilMs) return;
    this.#strikes = 0;
    this.#state.width = Math.min(fullWidth, this.#state.width + 1);
  }

  #learnBudget(answer: HttpAnswer): void {
    const budget = this.#budgetOf(readRateLimit(answer), readServerTime(answer));
    if (!budget) return;
    const known = this.#state.budget;
    // Answers overtake each other: within one window the budget only shrinks.
    const sameWindow = known !== undefined && budget.resetsAtMs < known.resetsAtMs + 2_000;
    if (sameWindow) budget.remaining = Math.min(budget.remaining, known.remaining);
    this.#state.budget = budget;
    this.#told = budget;
  }

  #budgetOf(
    { remaining, limit = 5_000, resetAt }: Partial<RateLimit> = {},
    serverNowMs = this.#options.clock.now(),
  ): Budget | undefined {
    if (remaining === undefined || resetAt === undefined) return undefined;
    return { limit, remaining, resetsAtMs: this.#now + Date.parse(resetAt) - serverNowMs };
  }

  #learnFailure(error: GitHubApiError, limitsBefore: number): void {
    const { kind, status, retryAfterMs, rateLimit } = error.info;
    this.#told = this.#budgetOf(rateLimit) ?? this.#told;
    const outage = kind === 'unavailable' && status === 503 && retryAfterMs !== undefined;
    if (kind !== 'rate-limited' && !outage) return;
    // What was under way when the limit struck is refused too, and is no new strike.
    if (limitsBefore === this.#limits) this.#strikes += 1;
    this.#limits += 1;
    const { api, host, log } = this.#options;
    const pauseMs = pauseAfterLimit({ retryAfterMs, api, strikes: this.#strikes });
    this.#state.closedUntilMs = Math.max(this.#state.closedUntilMs, this.#now + pauseMs);
    this.#state.width = firstWidth;
    log.warn({ host, api, pauseMs, err: error }, 'github limits calls');
  }

  #limitedError(what: string, retryAfterMs: number): GitHubApiError {
    const { host } = this.#options;
    const seconds = Math.ceil(retryAfterMs / 1000);
    return new GitHubApiError(
      `${what}: not sent, because ${host} limits calls for another ${seconds} s`,
      { kind: 'rate-limited', host, retryAfterMs },
    );
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted');
}
