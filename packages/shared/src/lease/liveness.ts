import { livenessSubject } from '../contracts/index.ts';
import { isNoResponders, maxReconnectDelayMs, type Nats } from '../messaging/index.ts';
import type { Holder } from './lease.ts';

/**
 * - `alive`: it answered.
 * - `suspect`: nobody listens on its subject; once proves nothing.
 * - `dead`: nobody listened twice, at least 500 ms apart: its NATS connection is gone.
 * - `unknown`: no answer in time, which proves nothing.
 */
export type Verdict = 'alive' | 'suspect' | 'dead' | 'unknown';

const probeTimeoutMs = 1_000;
const apartMs = 500;
/** Silences further apart than this do not add up, in ms. */
const staleMs = 3_000;
const trustSilenceMs = 5_000 + maxReconnectDelayMs;
/** A verdict this young is shared by all who ask, so that a holder of many leases is probed once. */
const freshMs = 250;

/** Answers probes for this incarnation until the connection closes. */
export function answerProbes(nats: Nats, { identity, incarnation }: Holder): void {
  nats.connection.subscribe(livenessSubject(identity, incarnation), {
    callback: (error, message) => {
      if (!error) message.respond();
    },
  });
}

interface Suspicion {
  verdict: Verdict;
  probedAt: number;
  silentSince: number | undefined;
  probing: Promise<Verdict> | undefined;
}

/** Finds out whether processes that hold something still live. */
export class LivenessProber {
  readonly #nats: Nats;
  readonly #suspicions = new Map<string, Suspicion>();

  constructor(nats: Nats) {
    this.#nats = nats;
  }

  /**
   * Whether silence means anything now: after NATS was away a living process is silent until its
   * client is back, so our own connection must have been up for longer than that takes.
   */
  get trustsSilence(): boolean {
    return this.#nats.connectedForMs() >= trustSilenceMs;
  }

  /** The verdict on one incarnation; ask again after 250 ms or more to have it probed again. */
  async check(holder: Holder): Promise<Verdict> {
    const subject = livenessSubject(holder.identity, holder.incarnation);
    const known = this.#suspicions.get(subject) ?? {
      verdict: 'unknown',
      probedAt: Number.NEGATIVE_INFINITY,
      silentSince: undefined,
      probing: undefined,
    };
    this.#suspicions.set(subject, known);
    if (this.#nats.clock.monotonic() - known.probedAt < freshMs) return known.verdict;
    known.probing ??= this.#probe(subject, known).finally(() => {
      known.probing = undefined;
    });
    return await known.probing;
  }

  /** When a holder was first found silent of whom nothing was heard since, by the monotonic clock, in ms. */
  silentSince({ identity, incarnation }: Holder): number | undefined {
    return this.#suspicions.get(livenessSubject(identity, incarnation))?.silentSince;
  }

  async #probe(subject: string, known: Suspicion): Promise<Verdict> {
    const answer = await this.#ask(subject);
    const now = this.#nats.clock.monotonic();
    // Between two silences far apart it may have lived: only those that follow each other count.
    if (now - known.probedAt > staleMs) known.silentSince = undefined;
    known.probedAt = now;
    if (answer === 'silent') known.silentSince ??= now;
    else known.silentSince = undefined;
    if (answer !== 'silent') known.verdict = answer;
    else known.verdict = now - (known.silentSince ?? now) >= apartMs ? 'dead' : 'suspect';
    if (known.verdict === 'dead') this.#forgetLater(subject);
    return known.verdict;
  }

  async #ask(subject: string): Promise<'alive' | 'silent' | 'unknown'> {
    try {
      await this.#nats.connection.request(subject, undefined, { timeout: probeTimeoutMs });
      return 'alive';
    } catch (error) {
      return isNoResponders(error) ? 'silent' : 'unknown';
    }
  }

  /** Incarnations never come back, so the memory of a dead one is bounded. */
  #forgetLater(subject: string): void {
    if (this.#suspicions.size <= 1_000) return;
    const [oldest] = this.#suspicions.keys();
    if (oldest !== undefined && oldest !== subject) this.#suspicions.delete(oldest);
  }
}
