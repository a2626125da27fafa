import type { Member } from '@baton/shared/contracts';
import type { Holder } from '@baton/shared/lease';
import type { MemberStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isoNow } from '@baton/shared/time';

interface MembersDeps {
  members: MemberStore;
  holder: Holder;
  /** Life of a membership without renewal, in ms. */
  ttlMs: number;
  clock: Clock;
  log: Logger;
}

/** Which listeners live: this one says so, and knows the others. */
export class Members {
  readonly #deps: MembersDeps;
  readonly #startedAt: string;
  #identities: readonly string[] = [];

  constructor(deps: MembersDeps) {
    this.#deps = deps;
    this.#startedAt = isoNow(deps.clock);
  }

  /** Identities of the live listeners, this one included, as of the last look. */
  get identities(): readonly string[] {
    return this.#identities;
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
    const { members, holder } = this.#deps;
    const own: Member = { ...holder, startedAt: this.#startedAt };
    await members.put(holder.identity, own);
    await this.#look();
  }

  /** Takes the membership back; returns whether other listeners live. */
  async leave(): Promise<boolean> {
    const { members, holder } = this.#deps;
    const own = await members.get(holder.identity);
    if (own?.value.incarnation === holder.incarnation) {
      await members.delete(holder.identity, own.revision);
    }
    await this.#look();
    return this.#identities.some((identity) => identity !== holder.identity);
  }

  async #look(): Promise<void> {
    const live = await this.#deps.members.list();
    this.#identities = live.map((entry) => entry.value.identity);
  }
}
