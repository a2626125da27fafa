import { toAppError } from '@baton/shared/errors';
import { backoffMs, type Random } from '@baton/shared/retry';
import type { Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';

/** A value with an end, in ms of the wall clock. */
export interface Perishable<T> {
  value: T;
  expiresAtMs: number;
}

interface RenewingValueOptions<T> {
  clock: Clock;
  random: Random;
  log: Logger;
  /** Gets a fresh value. Must end by itself: it is shared, so no caller's signal reaches it. */
  load: () => Promise<Perishable<T>>;
}

interface Held<T> {
  value: T;
  renewAtMs: number;
  mustRenewAtMs: number;
}

const longestMarginMs = 60_000;
const pauseAfterFailureMs = 15_000;
/** A refusal says something about the value only until somebody has renewed it. */
const betweenRefusalsMs = 5_000;
/** A value that ends sooner than this when it is new says that our clock is wrong. */
const shortestLifeMs = 10_000;
const failureKeptMs = { baseMs: 500, maxMs: 15_000, minMs: 500 };

/**
 * Keeps one value fresh for many callers. At about 80 % of its life it is renewed in the background
 * while the old one is still handed out; in its last minute callers wait for the new one. There is
 * never more than one `load` under way, and after one that failed the others who ask are told its
 * error for a while (up to 15 s), so that a thousand callers do not ask a thousand times.
 */
export class RenewingValue<T> {
  readonly #options: RenewingValueOptions<T>;
  #held: Held<T> | undefined;
  #flight: Promise<T> | undefined;
  #failed: { error: unknown; times: number; untilMs: number } | undefined;
  #mayDropAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: RenewingValueOptions<T>) {
    this.#options = options;
  }

  /** The value. An abort ends the wait of this caller, not the renewal. */
  async get(signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const now = this.#options.clock.now();
    const held = this.#held;
    if (!held || now >= held.mustRenewAtMs) return await abortable(this.#renew(), signal);
    if (now >= held.renewAtMs && !this.#flight) this.#renewInBackground(held);
    return held.value;
  }

  /** Drops the value if it is still the one that was refused, so that two refusals renew once. */
  invalidate(refused: T): void {
    const now = this.#options.clock.monotonic();
    if (this.#held?.value !== refused || now < this.#mayDropAtMs) return;
    this.#held = undefined;
    this.#mayDropAtMs = now + betweenRefusalsMs;
  }

  #renew(): Promise<T> {
    const { clock } = this.#options;
    if (this.#failed && clock.monotonic() < this.#failed.untilMs) {
      return Promise.reject(toAppError(this.#failed.error));
    }
    this.#flight ??= this.#load()
      .catch((error: unknown) => {
        this.#rememberFailure(error);
        throw error;
      })
      .finally(() => {
        this.#flight = undefined;
      });
    return this.#flight;
  }

  #rememberFailure(error: unknown): void {
    const { clock, random } = this.#options;
    const times = (this.#failed?.times ?? 0) + 1;
    const keptMs = backoffMs(times - 1, failureKeptMs, random);
    this.#failed = { error, times, untilMs: clock.monotonic() + keptMs };
  }

  #renewInBackground(held: Held<T>): void {
    const { clock, log } = this.#options;
    this.#renew().catch((err: unknown) => {
      held.renewAtMs = clock.now() + pauseAfterFailureMs;
      log.warn({ err }, 'renewing a github token failed, using the old one');
    });
  }

  async #load(): Promise<T> {
    const { clock, random, load } = this.#options;
    const { value, expiresAtMs } = await load();
    const now = clock.now();
    const toldLifeMs = expiresAtMs - now;
    const lifeMs = toldLifeMs < shortestLifeMs ? 2 * longestMarginMs : toldLifeMs;
    const marginMs = Math.min(longestMarginMs, lifeMs / 5);
    this.#failed = undefined;
    this.#held = {
      value,
      renewAtMs: now + Math.min(lifeMs * (0.75 + 0.1 * random()), lifeMs - marginMs),
      mustRenewAtMs: now + lifeMs - marginMs,
    };
    return value;
  }
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () =>
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal.addEventListener('abort', onAbort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
