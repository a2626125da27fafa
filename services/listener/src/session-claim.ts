import type { SessionRecord } from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import { backoffMs, type Random } from '@baton/shared/retry';
import type { SessionStore } from '@baton/shared/stores';
import type { Clock } from '@baton/shared/time';

interface ClaimDeps {
  sessions: SessionStore;
  clock: Clock;
  random: Random;
}

interface ClaimOptions {
  installationId: string;
  scaleSetId: string;
  /** Identity and incarnation, for people. */
  owner: string;
  /** Aborted when the lease is lost. */
  signal: AbortSignal;
}

/** Another listener claimed the session record: this one must stop acting on the scale set. */
class ClaimLostError extends AppError {
  constructor(scaleSetId: string, epoch: number) {
    super('conflict', `the session record of ${scaleSetId} was claimed by epoch ${epoch}`, {
      retryable: true,
    });
  }
}

const retryPolicy = { baseMs: 50, maxMs: 1_000, minMs: 10 };

/**
 * The claim on a scale set's session record: the second of the two writes that make a listener the
 * owner. Its epoch fences everything that is state; every write fails once a later one has claimed.
 */
export class SessionClaim {
  readonly #deps: ClaimDeps;
  readonly #options: ClaimOptions;
  #record: SessionRecord;
  #revision: number;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(
    deps: ClaimDeps,
    options: ClaimOptions,
    record: SessionRecord,
    revision: number,
  ) {
    this.#deps = deps;
    this.#options = options;
    this.#record = record;
    this.#revision = revision;
  }

  /**
   * Claims the record with a new epoch, trying until it wins or the signal is aborted. The epoch is
   * at least the unix time in seconds, so that it grows even when an old copy was restored.
   */
  static async take(deps: ClaimDeps, options: ClaimOptions): Promise<SessionClaim> {
    return await persist(deps, options.signal, async () => {
      const found = await deps.sessions.lookup(options.scaleSetId);
      const before = found.kind === 'found' ? found.value : undefined;
      const epoch = Math.max((before?.epoch ?? 0) + 1, Math.floor(deps.clock.now() / 1_000));
      const { installationId, scaleSetId, owner } = options;
      const record: SessionRecord = before
        ? { ...before, epoch, owner }
        : { v: 1, installationId, scaleSetId, epoch, owner, ring: [] };
      const revision =
        found.kind === 'found'
          ? await deps.sessions.update(scaleSetId, record, found.revision)
          : await deps.sessions.create(scaleSetId, record);
      return revision === undefined ? undefined : new SessionClaim(deps, options, record, revision);
    });
  }

  get record(): SessionRecord {
    return this.#record;
  }

  get epoch(): number {
    return this.#record.epoch;
  }

  /**
   * Changes the record under this epoch, one write after another; retried while NATS is away.
   * @throws ClaimLostError when a later epoch has claimed, or the signal's reason.
   */
  async write(change: (record: SessionRecord) => SessionRecord): Promise<void> {
    const turn = this.#writing.then(() => this.#writeNow(change));
    this.#writing = turn.catch(() => undefined);
    await turn;
  }

  async #writeNow(change: (record: SessionRecord) => SessionRecord): Promise<void> {
    const { sessions } = this.#deps;
    const { scaleSetId, signal } = this.#options;
    await persist(this.#deps, signal, async () => {
      const next = change(this.#record);
      const revision = await sessions.update(scaleSetId, next, this.#revision);
      if (revision !== undefined) {
        this.#record = next;
        this.#revision = revision;
        return true;
      }
      await this.#reload();
      return undefined;
    });
  }

  /** After a refused write: ours all the same (its answer was lost), or somebody else's. */
  async #reload(): Promise<void> {
    const { scaleSetId } = this.#options;
    const found = await this.#deps.sessions.lookup(scaleSetId);
    const ours =
      found.kind === 'found' &&
      found.value.epoch === this.epoch &&
      found.value.owner === this.#record.owner;
    if (!ours) {
      throw new ClaimLostError(scaleSetId, found.kind === 'found' ? found.value.epoch : 0);
    }
    this.#record = found.value;
    this.#revision = found.revision;
  }
}

/** Repeats `attempt` until it returns something; NATS being away is waited out. */
async function persist<T>(
  { clock, random }: ClaimDeps,
  signal: AbortSignal,
  attempt: () => Promise<T | undefined>,
): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    signal.throwIfAborted();
    try {
      const result = await attempt();
      if (result !== undefined) return result;
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'nats')) throw error;
    }
    await clock.sleep(backoffMs(failures, retryPolicy, random), signal);
  }
}
