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

/** Which listeners live and take sessions: this one says so, and knows the others. */
export class Members {
  readonly #deps: MembersDeps;
  readonly #startedAt: string;
  #draining = false;
  #identities: readonly string[] = [];
  /** Writes follow one another, so that the last word is the last write. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(deps: MembersDeps) {
    this.#deps = deps;
    this.#startedAt = isoNow(deps.clock);
  }

  /** Identities of the listeners that take sessions, as of the last look. */
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
    await this.#inTurn(async () => {
      const { members, holder } = this.#deps;
      const own: Member = { ...holder, startedAt: this.#startedAt, draining: this.#draining };
      await members.put(holder.identity, own);
      await this.#look();
    });
  }

  /** Says that this listener takes no more sessions; returns whether others do. */
  async drain(): Promise<boolean> {
    this.#draining = true;
    await this.renew();
    return this.#identities.length > 0;
  }

  /** Takes the membership back. */
  async leave(): Promise<void> {
    await this.#inTurn(async () => {
      const { members, holder } = this.#deps;
      const own = await members.get(holder.identity);
      if (own?.value.incarnation !== holder.incarnation) return;
      await members.delete(holder.identity, own.revision);
    });
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#writing.then(work);
    this.#writing = turn.catch(() => undefined);
    await turn;
  }

  async #look(): Promise<void> {
    const members = (await this.#deps.members.list()).map((entry) => entry.value);
    this.#identities = members.filter(({ draining }) => !draining).map(({ identity }) => identity);
  }
}
