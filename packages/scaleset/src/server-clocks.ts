import { clockDifference } from '@baton/shared/time';

/** When a request was sent and its answer came, by our wall clock, and what the answer says. */
interface Exchange {
  sentMs: number;
  receivedMs: number;
  /** The `Date` header: whole seconds, cut off. */
  serverMs: number | undefined;
}

/** How far our clock is from those of the servers that answered, by host; the last answer counts. */
export class ServerClocks {
  readonly #ahead = new Map<string, number>();

  observe(host: string, { sentMs, receivedMs, serverMs }: Exchange): void {
    if (serverMs === undefined) return;
    const other = { earliestMs: serverMs, latestMs: serverMs + 1_000 };
    const own = { earliestMs: sentMs, latestMs: receivedMs };
    this.#ahead.set(host, clockDifference({ other, own }));
  }

  /** How far our clock is ahead, in ms, for certain; undefined when that server never said. */
  aheadMs(host: string): number | undefined {
    return this.#ahead.get(host);
  }
}
