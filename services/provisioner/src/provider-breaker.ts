import { type BackoffPolicy, backoffMs, type Random } from '@baton/shared/retry';
import type { Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';

interface BreakerDeps {
  /** The provider's name. */
  name: string;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** Whether a create may start. `probe`: its end decides for all, and must be told. */
export type Admission = 'go' | 'probe' | { retryAtMs: number; problem: string };

/** As much as the plan and the operator need to know. */
export interface ProviderTrouble {
  problem: string;
  /** ISO 8601. */
  retryAt: string;
}

/** Creates that failed one after another until nothing is created any more. */
const failedCreates = 5;
/** Questions, each with a deadline of its own, that failed one after another. */
const failedQuestions = 3;
const policy: BackoffPolicy = { baseMs: 5_000, maxMs: 60_000, minMs: 2_500 };
/** Who meets a probe that is under way looks again after this, in ms. */
const probingMs = 5_000;
/** A probe that is due is waited for this long, in ms: whoever wants a runner asks within seconds. */
const unaskedMs = 120_000;

/**
 * Keeps creates away from a provider that fails for whoever asks. In memory: each provisioner finds
 * out by itself. One create at a time probes whether it works again; one that succeeds ends it.
 *
 * Scale sets that have not failed in it are let through: when only one's creates hang, those of
 * another succeed, and that closes the breaker.
 */
export class ProviderBreaker {
  readonly #deps: BreakerDeps;
  #creates = 0;
  #questions = 0;
  /** Scale sets whose creates have failed since one succeeded. */
  readonly #failing = new Set<string>();
  #text = '';
  /** Wall-clock ms; undefined while it is closed. */
  #openUntilMs: number | undefined;
  #openings = 0;
  #prober: string | undefined;

  constructor(deps: BreakerDeps) {
    this.#deps = deps;
  }

  /** Asked right before a create; who gets `probe` calls `probed` in the end, whatever happened. */
  admit(scaleSetId: string): Admission {
    if (this.#openUntilMs === undefined || !this.#concerns(scaleSetId)) return 'go';
    const now = this.#deps.clock.now();
    if (now < this.#openUntilMs) return { retryAtMs: this.#openUntilMs, problem: this.#problem };
    if (this.#prober !== undefined) return { retryAtMs: now + probingMs, problem: this.#problem };
    this.#prober = scaleSetId;
    return 'probe';
  }

  /** The probe is over; without a verdict from it, the next create is the next probe. */
  probed(): void {
    this.#prober = undefined;
  }

  createSucceeded(): void {
    this.#creates = 0;
    this.#failing.clear();
    this.#closeIfWell();
  }

  createFailed(scaleSetId: string, text: string): void {
    this.#creates += 1;
    this.#failing.add(scaleSetId);
    this.#text = text;
    if (
      this.#openUntilMs === undefined ? this.#creates >= failedCreates : this.#isProbe(scaleSetId)
    )
      this.#open();
  }

  questionAnswered(): void {
    this.#questions = 0;
    this.#closeIfWell();
  }

  questionFailed(text: string): void {
    this.#questions += 1;
    this.#text = text;
    const again = this.#openUntilMs !== undefined && this.#deps.clock.now() >= this.#openUntilMs;
    if (this.#questions >= failedQuestions && (again || this.#openUntilMs === undefined))
      this.#open();
  }

  /**
   * Whether creates are held back, of the scale sets that failed at the least. No more once a probe has
   * been due for so long that nobody wants to create: what this process knew last is old then.
   */
  get isOpen(): boolean {
    if (this.#openUntilMs === undefined) return false;
    return this.#prober !== undefined || this.#deps.clock.now() < this.#openUntilMs + unaskedMs;
  }

  /** Whether a probe is due: one runner is enough to find out. */
  isProbeDue(scaleSetId: string): boolean {
    if (this.#openUntilMs === undefined || !this.#concerns(scaleSetId)) return false;
    return this.#prober === undefined && this.#deps.clock.now() >= this.#openUntilMs;
  }

  /** Why nothing is created for the scale set; undefined while something is, or a probe is due. */
  trouble(scaleSetId: string): ProviderTrouble | undefined {
    if (this.#openUntilMs === undefined || !this.#concerns(scaleSetId)) return undefined;
    if (this.isProbeDue(scaleSetId)) return undefined;
    return { problem: this.#problem, retryAt: new Date(this.#openUntilMs).toISOString() };
  }

  get #problem(): string {
    return `provider "${this.#deps.name}" fails: ${this.#text}`;
  }

  #concerns(scaleSetId: string): boolean {
    return this.#questions >= failedQuestions || this.#failing.has(scaleSetId);
  }

  #isProbe(scaleSetId: string): boolean {
    return this.#prober === scaleSetId;
  }

  #open(): void {
    const { name, clock, random, log } = this.#deps;
    const delayMs = backoffMs(this.#openings, policy, random);
    this.#openings += 1;
    this.#openUntilMs = clock.now() + delayMs;
    log.warn(
      { provider: name, reason: this.#text, delayMs },
      'provider fails, creates are held back',
    );
  }

  #closeIfWell(): void {
    if (this.#openUntilMs === undefined) return;
    if (this.#creates >= failedCreates || this.#questions >= failedQuestions) return;
    this.#openUntilMs = undefined;
    this.#openings = 0;
    this.#deps.log.info({ provider: this.#deps.name }, 'provider works again');
  }
}
