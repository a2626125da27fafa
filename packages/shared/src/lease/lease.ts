import { z } from 'zod';
import { AppError } from '../errors/index.ts';
import type { KvBucket } from '../messaging/index.ts';
import type { Random } from '../retry/index.ts';
import { attributes, type Logger, recordSpan } from '../telemetry/index.ts';
import type { Clock } from '../time/index.ts';
import { renewalWaitMs } from './renewal-schedule.ts';

/** Who holds a lease: the identity stays over a restart, the incarnation is one process. */
export const leaseSchema = z.looseObject({
  v: z.literal(1),
  identity: z.string(),
  incarnation: z.string(),
});
export type Holder = z.infer<typeof leaseSchema>;
type LeaseBucket = KvBucket<typeof leaseSchema>;

export interface LeaseDeps {
  bucket: LeaseBucket;
  holder: Holder;
  /** The bucket's TTL, in ms. */
  ttlMs: number;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Told how each renewal came out. */
  onRenewal?: ((outcome: RenewalOutcome) => void) | undefined;
}

/** `unconfirmed`: the server did not answer, and the lease may still be ours. */
export type RenewalOutcome = 'confirmed' | 'unconfirmed' | 'lost';

/** Why a lease ended without being released. */
export type LossReason = 'taken' | 'expired' | 'unconfirmed' | 'suspended';

/** The lease was lost: somebody else may hold it by now. Costs one scale set, never the process. */
class LeaseLostError extends AppError {
  constructor(text: string) {
    super('conflict', `lease lost: ${text}`, { retryable: true });
  }
}

/** Given up this long before others could get it, in ms. */
const marginMs = 200;
/** A renewal that takes longer is told as a span, as are those that fail, in ms. */
const slowMs = 1_000;
/** Wall and monotonic clock apart by more than this: the machine was suspended. */
const suspendedMs = 1_000;

/**
 * A lease that is held. `signal` is aborted as soon as it may be lost: a renewal was refused, none
 * was confirmed within the TTL (counted by the local monotonic clock from before it was sent), or
 * the machine was suspended.
 *
 * It does not stop a process that was frozen between its check and its act: whatever changes state
 * is fenced by a revision or an epoch as well.
 */
export class Lease {
  readonly key: string;
  readonly #deps: LeaseDeps;
  readonly #lost = new AbortController();
  #revision: number;
  #validUntil: number;
  #wallOffset: number;
  /** The last renewal's outcome is not known: the entry is read before the next one. */
  #unsure = false;
  #renewing: Promise<void> | undefined;
  #lossReason: LossReason | undefined;

  constructor(deps: LeaseDeps, key: string, revision: number, sentAt: number) {
    this.#deps = deps;
    this.key = key;
    this.#revision = revision;
    this.#validUntil = sentAt + deps.ttlMs - marginMs;
    this.#wallOffset = deps.clock.now() - deps.clock.monotonic();
    void this.#keepRenewing();
    void this.#watchDeadline();
  }

  /** Aborted when the lease is lost or released. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Why it was lost; undefined while it is held, and when it was released. */
  get lossReason(): LossReason | undefined {
    return this.#lossReason;
  }

  /**
   * Renews now; when it resolves, the lease was ours after the call began.
   * @throws LeaseLostError, or AppError `nats` when the server did not answer (still ours, maybe).
   */
  async renew(): Promise<void> {
    // A renewal that is already under way may have been sent before the caller decided.
    await this.#renewing?.catch(() => undefined);
    this.signal.throwIfAborted();
    this.#renewing ??= this.#renewAndTell().finally(() => {
      this.#renewing = undefined;
    });
    await this.#renewing;
  }

  /** Gives the lease back, so that another can take it at once. Best effort. */
  async release(): Promise<void> {
    await this.#renewing?.catch(() => undefined);
    if (this.signal.aborted) return;
    this.#lost.abort(new LeaseLostError('released'));
    await this.#delete().catch((err: unknown) => {
      this.#deps.log.warn({ leaseName: this.key, err }, 'lease could not be released');
    });
  }

  async #delete(): Promise<void> {
    const { bucket, holder } = this.#deps;
    if (await bucket.delete(this.key, this.#revision)) return;
    // Not at the revision we know: a renewal whose answer was lost may have moved it.
    const entry = await bucket.get(this.key);
    if (entry?.value.incarnation !== holder.incarnation) return;
    await bucket.delete(this.key, entry.revision);
  }

  async #renewAndTell(): Promise<void> {
    const { clock, onRenewal } = this.#deps;
    const startedAt = clock.now();
    try {
      await this.#renewOnce();
      onRenewal?.('confirmed');
      if (clock.now() - startedAt > slowMs) this.#recordRenewal(startedAt);
    } catch (error) {
      // Released meanwhile: nothing was to be renewed any more.
      if (this.signal.aborted && !this.#lossReason) throw error;
      onRenewal?.(this.#lossReason ? 'lost' : 'unconfirmed');
      this.#recordRenewal(startedAt, error);
      throw error;
    }
  }

  #recordRenewal(startedAt: number, error?: unknown): void {
    const { clock } = this.#deps;
    const told = { [attributes.lease]: this.key };
    recordSpan('renew lease', { startedAt, endedAt: clock.now(), attributes: told, error });
  }

  async #renewOnce(): Promise<void> {
    const { bucket, holder, clock, ttlMs } = this.#deps;
    this.#checkSuspended();
    const sentAt = clock.monotonic();
    try {
      if (this.#unsure) await this.#readBack();
      const revision = await bucket.update(this.key, holder, this.#revision);
      if (revision === undefined) await this.#readBack();
      else this.#revision = revision;
    } catch (error) {
      this.#unsure = true;
      throw error;
    }
    this.#unsure = false;
    this.signal.throwIfAborted();
    this.#validUntil = sentAt + ttlMs - marginMs;
  }

  /** After an unknown outcome: the entry may be ours at a later revision than we know. */
  async #readBack(): Promise<void> {
    const entry = await this.#deps.bucket.get(this.key);
    const ours = entry?.value.incarnation === this.#deps.holder.incarnation;
    if (!entry || !ours)
      throw entry
        ? this.#lose('taken', 'another process holds it')
        : this.#lose('expired', 'it expired');
    this.#revision = entry.revision;
  }

  async #keepRenewing(): Promise<void> {
    const { clock, random, ttlMs, log } = this.#deps;
    const intervalMs = ttlMs / 3;
    let waitMs = renewalWaitMs(intervalMs, true, random);
    for (;;) {
      try {
        await clock.sleep(waitMs, this.signal);
        await this.renew();
        waitMs = renewalWaitMs(intervalMs, false, random);
      } catch (err) {
        if (this.signal.aborted) return;
        log.warn({ leaseName: this.key, err }, 'lease renewal was not confirmed');
        waitMs = intervalMs / 4;
      }
    }
  }

  async #watchDeadline(): Promise<void> {
    const { clock } = this.#deps;
    try {
      for (;;) {
        const leftMs = this.#validUntil - clock.monotonic();
        if (leftMs <= 0) {
          this.#lose('unconfirmed', 'no renewal was confirmed in time');
          return;
        }
        await clock.sleep(leftMs, this.signal);
      }
    } catch (error) {
      if (!this.signal.aborted) throw error;
    }
  }

  #checkSuspended(): void {
    const { clock } = this.#deps;
    const offset = clock.now() - clock.monotonic();
    const jumpMs = Math.abs(offset - this.#wallOffset);
    this.#wallOffset = offset;
    if (jumpMs <= suspendedMs) return;
    throw this.#lose('suspended', `the clock jumped by ${Math.round(jumpMs)} ms`);
  }

  #lose(reason: LossReason, text: string): LeaseLostError {
    const error = new LeaseLostError(text);
    if (!this.signal.aborted) {
      this.#lossReason = reason;
      this.#deps.log.warn({ leaseName: this.key, reason: text }, 'lease lost');
      this.#lost.abort(error);
    }
    return error;
  }
}
