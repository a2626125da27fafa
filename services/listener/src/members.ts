import type { Member } from '@baton/shared/contracts';
import type { Holder } from '@baton/shared/lease';
import type { Hints } from '@baton/shared/messaging';
import type { MemberStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isoNow } from '@baton/shared/time';
import { preferenceRank, type Share } from './core/share-scale-sets.ts';

interface MembersDeps {
  members: MemberStore;
  hints: Hints;
  holder: Holder;
  /** How many of the scale sets this listener should have, compared to others. */
  weight: number;
  /** Life of a membership without renewal, in ms. */
  ttlMs: number;
  clock: Clock;
  log: Logger;
}

/** Which listeners live and take sessions: this one says so, and knows the others. */
export class Members {
  readonly #deps: MembersDeps;
  readonly #startedAt: string;
  #draining = false;
  #shares: readonly Share[] = [];
  #others: readonly Holder[] = [];
  /** Since when each of them has been seen, monotonic ms; a restarted one begins anew. */
  #seen = new Map<string, { incarnation: string; since: number }>();
  /** Writes follow one another, so that the last word is the last write. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(deps: MembersDeps) {
    this.#deps = deps;
    this.#startedAt = isoNow(deps.clock);
  }

  /** This listener, as the others see it. */
  get own(): Share {
    return { identity: this.#deps.holder.identity, weight: this.#deps.weight };
  }

  /** The listeners that take sessions, as of the last look. */
  get shares(): readonly Share[] {
    return this.#shares;
  }

  /** How many are preferred over this one for a scale set, not counting one that is `gone`. */
  rankFor(scaleSetId: string, gone: string | undefined): number {
    const others = this.#shares.filter(({ identity }) => identity !== gone);
    return preferenceRank(scaleSetId, this.own, others);
  }

  /** The other listeners that take sessions, as of the last look. */
  get others(): readonly Holder[] {
    return this.#others;
  }

  /** Whether this identity has been seen for so long, in ms, that it is likely to stay. */
  hasSettled(identity: string, afterMs: number): boolean {
    const since = this.#seen.get(identity)?.since;
    return since !== undefined && this.#deps.clock.monotonic() - since >= afterMs;
  }

  /** Renews the membership and looks at the others, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, ttlMs, log } = this.#deps;
    while (!signal.aborted) {
      await this.renew().catch((err: unknown) => log.warn({ err }, 'membership was not renewed'));
      await clock.sleep(ttlMs / 3, signal).catch(() => undefined);
    }
  }

  async renew(): Promise<void> {
    await this.#inTurn(async () => {
      const { members, holder, weight } = this.#deps;
      const state = { startedAt: this.#startedAt, draining: this.#draining, weight };
      await members.put(holder.identity, { ...holder, ...state });
      await this.#look();
    });
  }

  /** Looks at the others now: somebody said that they changed. Best effort. */
  async look(): Promise<void> {
    await this.#inTurn(() => this.#look()).catch((err: unknown) => {
      this.#deps.log.debug({ err }, 'members could not be read');
    });
  }

  /** Joins the others, and lets them know at once. */
  async join(): Promise<void> {
    await this.renew();
    this.#tell();
  }

  /** Says that this listener takes no more sessions; returns whether others do. */
  async drain(): Promise<boolean> {
    this.#draining = true;
    await this.renew();
    this.#tell();
    return this.#shares.length > 0;
  }

  /** Takes the membership back. */
  async leave(): Promise<void> {
    await this.#inTurn(async () => {
      const { members, holder } = this.#deps;
      const own = await members.get(holder.identity);
      if (own?.value.incarnation !== holder.incarnation) return;
      await members.delete(holder.identity, own.revision);
    });
    this.#tell();
  }

  #tell(): void {
    this.#deps.hints.send('member', this.#deps.holder.identity);
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#writing.then(work);
    this.#writing = turn.catch(() => undefined);
    await turn;
  }

  async #look(): Promise<void> {
    const found = (await this.#deps.members.list()).map(({ value }) => value);
    const live = found.filter(({ draining }) => !draining);
    this.#shares = live.map(({ identity, weight }) => ({ identity, weight }));
    const { identity: own } = this.#deps.holder;
    this.#others = live
      .filter(({ identity }) => identity !== own)
      .map(({ identity, incarnation }) => ({ v: 1, identity, incarnation }));
    this.#seen = new Map(live.map((member) => [member.identity, this.#sightOf(member)]));
  }

  #sightOf({ identity, incarnation }: Member) {
    const known = this.#seen.get(identity);
    if (known?.incarnation === incarnation) return known;
    return { incarnation, since: this.#deps.clock.monotonic() };
  }
}
