import { isGitHubError, type ScaleSetClient } from '@baton/scaleset';
import type { Spec } from '@baton/shared/contracts';
import { AppError, ConfigError, errorText } from '@baton/shared/errors';
import type { Lease } from '@baton/shared/lease';
import { backoffMs } from '@baton/shared/retry';
import type { Logger } from '@baton/shared/telemetry';
import { isAborted } from '@baton/shared/time';
import { CapacityWatch } from './capacity-watch.ts';
import { contend } from './contend.ts';
import { defaultOpeningPolicy } from './core/decide-session-step.ts';
import { preferenceRank } from './core/share-scale-sets.ts';
import type { ListenerDeps } from './listener-deps.ts';
import { type OpeningWait, openSession } from './open-session.ts';
import { forgetScaleSet, readRegistration, registerScaleSet } from './register-scale-set.ts';
import { type End, type Holding, serveSession } from './serve-session.ts';
import { SessionClaim } from './session-claim.ts';
import { StatusReporter } from './status-reporter.ts';

const failurePolicy = { baseMs: 1_000, maxMs: 60_000, minMs: 500 };
/** How often a draining or disabled scale set looks whether it may go on, in ms. */
const lookAgainMs = 2_000;

/** Works on one scale set: waits for its lease, holds its session, gives it up again. */
export class ScaleSetListener {
  readonly #deps: ListenerDeps;
  readonly #log: Logger;
  readonly #status: StatusReporter;
  readonly #capacity: CapacityWatch;
  /** Aborted when the scale set is not ours to work on any more: the process drains, or its spec is gone. */
  readonly #stop: AbortSignal;
  #spec: Spec;
  /** Ends the wait for a session that is not wanted any more. */
  #opening: AbortController | undefined;

  constructor(deps: ListenerDeps, spec: Spec, stop: AbortSignal) {
    const { scaleSetId } = spec;
    this.#deps = deps;
    this.#spec = spec;
    this.#stop = stop;
    this.#log = deps.log.child({ scaleSetId });
    this.#status = new StatusReporter(deps, scaleSetId, deps.leases.holder.identity);
    this.#capacity = new CapacityWatch({ ...deps, log: this.#log }, () => this.#spec);
  }

  /** A newer version of the scale set's spec; takes effect without giving up the session. */
  update(spec: Spec): void {
    if (spec.updatedAt === this.#spec.updatedAt) return;
    this.#spec = spec;
    this.#deps.specHints.wake(spec.scaleSetId);
    void this.#capacity.read().then(() => this.#endOpening());
  }

  /** Runs until `stop` is aborted. Never rejects but for a ConfigError that concerns the process. */
  async run(): Promise<void> {
    for (let failures = 0; !this.#stop.aborted; ) {
      const startedAt = this.#deps.clock.monotonic();
      try {
        if (await this.#mayRest()) await this.#waitForSpec(lookAgainMs);
        else await this.#takeTurn();
        failures = 0;
      } catch (error) {
        if (isAborted(this.#stop)) break;
        if (error instanceof IdentityTakenError) throw error.cause;
        if (this.#deps.clock.monotonic() - startedAt > failurePolicy.maxMs) failures = 0;
        await this.#reportFailure(error, failures);
        failures += 1;
      }
    }
    await this.#status.settled();
  }

  /** Disabled, and no session of ours is left at GitHub: nothing to do. */
  async #mayRest(): Promise<boolean> {
    const { sessions } = this.#deps;
    if (this.#spec.declaration.enabled && !this.#spec.deleting) return false;
    const record = (await sessions.get(this.#spec.scaleSetId))?.value;
    if (record?.session) return false;
    if (this.#spec.deleting && (await this.#registration())) return false;
    const state = this.#spec.deleting ? 'deleted' : 'disabled';
    if (this.#status.state !== state) this.#status.enter(state);
    return true;
  }

  async #takeTurn(): Promise<void> {
    const { members, leases } = this.#deps;
    const { scaleSetId } = this.#spec;
    this.#status.leaveQuietly();
    const lease = await contend(this.#deps, {
      scaleSetId,
      rank: (dead) => {
        const live = members.identities.filter((identity) => identity !== dead);
        return preferenceRank(scaleSetId, leases.holder.identity, live);
      },
      leaseHints: this.#deps.leaseHints,
      signal: this.#stop,
    }).catch((error: unknown) => {
      throw error instanceof ConfigError ? new IdentityTakenError(error) : error;
    });
    try {
      await this.#hold(lease);
    } finally {
      await lease.release();
      this.#deps.hints.send('lease', scaleSetId);
    }
  }

  async #hold(lease: Lease): Promise<void> {
    const deps = this.#deps;
    const spec = this.#spec;
    const { scaleSetId, installationId } = spec;
    const { identity, incarnation } = deps.leases.holder;
    const owner = `${identity}/${incarnation}`;
    const claim = await SessionClaim.take(deps, {
      installationId,
      scaleSetId,
      owner,
      signal: lease.signal,
    });
    this.#log.info({ epoch: claim.epoch }, 'scale set claimed');
    const { client, queue } = deps.github(spec.declaration.credential, spec.declaration.configUrl);
    const holding: Holding = { lease, claim, client, queue };
    for (;;) {
      const end = this.#shouldEnd();
      if (end && end !== 'drained') return await this.#giveUp(holding, end);
      this.#status.enter('opening', { epoch: claim.epoch });
      try {
        return await this.#giveUp(holding, await this.#openAndServe(holding));
      } catch (error) {
        lease.signal.throwIfAborted();
        if (isGitHubError(error, 'scale-set-not-found')) {
          this.#log.warn('the scale set is gone at GitHub, registering it again');
          await this.#forget(holding);
        } else if (isGitHubError(error, 'session-gone')) {
          this.#log.warn('the session is gone at GitHub, opening a new one');
        } else throw error;
      }
    }
  }

  async #openAndServe(holding: Holding): Promise<End> {
    const { claim } = holding;
    this.#opening = new AbortController();
    const cancel = AbortSignal.any([this.#stop, this.#opening.signal]);
    const open = await this.#open(holding, cancel).catch((error: unknown) => {
      if (holding.lease.signal.aborted || !cancel.aborted) throw error;
    });
    if (!open) return this.#shouldEnd(claim) ?? 'stopped';
    const { registered, opened } = open;
    this.#status.enter('polling', { epoch: claim.epoch, opened: opened.how });
    return await serveSession(
      {
        ...this.#deps,
        log: this.#log,
        status: this.#status,
        capacity: this.#capacity,
        stop: this.#stop,
        spec: () => this.#spec,
        shouldEnd: () => this.#shouldEnd(claim),
      },
      { ...holding, githubScaleSetId: registered.scaleSetId, session: opened.session },
    );
  }

  /** Registration and session. A wait for GitHub ends with `cancel`; a call that made something does not. */
  async #open(holding: Holding, cancel: AbortSignal) {
    const { claim, lease, client } = holding;
    const signal = AbortSignal.any([lease.signal, cancel]);
    const registering = { ...this.#registering(client, lease), signal };
    const registered = await registerScaleSet(registering, this.#spec);
    await this.#capacity.read();
    this.#endOpening();
    const opened = await openSession(
      {
        ...this.#deps,
        ...holding,
        cancel,
        policy: defaultOpeningPolicy,
        log: this.#log,
        onWait: (wait) => this.#reportWait(wait, claim.epoch),
      },
      {
        githubScaleSetId: registered.scaleSetId,
        ownerName: `baton-${this.#spec.installationId}-${claim.record.owner}`,
      },
    );
    return { registered, opened };
  }

  /** A scale set that was disabled, or is to go and has no runners, needs no session any more. */
  #endOpening(): void {
    if (this.#shouldEnd()) this.#opening?.abort();
  }

  /** The registration, while there is something registered at GitHub. */
  async #registration() {
    const registration = await readRegistration(this.#deps, this.#spec.scaleSetId);
    return registration?.github ? registration : undefined;
  }

  #registering(client: ScaleSetClient, lease: Lease) {
    const { registrations } = this.#deps;
    return { client, registrations, log: this.#log, signal: lease.signal };
  }

  /** The scale set is gone at GitHub, and its session with it. */
  async #forget({ claim, client, lease }: Holding): Promise<void> {
    await forgetScaleSet(this.#registering(client, lease), this.#spec);
    await claim.write(({ session: _session, ...record }) => ({ ...record, ring: [] }));
  }

  #shouldEnd(claim?: SessionClaim): End | undefined {
    if (this.#stop.aborted) return 'stopped';
    if (this.#spec.deleting) {
      const idle = this.#capacity.aliveCount === 0 && (claim?.record.demand?.assigned ?? 0) === 0;
      return idle ? 'drained' : undefined;
    }
    return this.#spec.declaration.enabled ? undefined : 'disabled';
  }

  /** Hands over to a living peer, which resumes the session; without one the session is closed. */
  async #giveUp(holding: Holding, end: End): Promise<void> {
    const { claim, client, lease } = holding;
    // A stop of this scale set alone, without a drain, means that its spec is gone.
    const peers = this.#deps.draining.aborted && (await this.#deps.peersLive());
    if (peers) {
      this.#log.info('session handed over');
      this.#status.enter('waiting', { epoch: claim.epoch, reason: 'handed over' });
      return;
    }
    await this.#closeSession(holding);
    if (end === 'drained') {
      const github = (await this.#registration())?.github;
      if (github?.createdByUs) await client.deleteScaleSet(github.scaleSetId);
      await this.#forget(holding);
    }
    const state = end === 'drained' ? 'deleted' : end === 'disabled' ? 'disabled' : 'waiting';
    this.#status.enter(state, { epoch: claim.epoch });
    await this.#status.settled();
    lease.signal.throwIfAborted();
  }

  async #closeSession({ claim, client, lease }: Holding): Promise<void> {
    const { session } = claim.record;
    const github = (await this.#registration())?.github;
    if (!github || !session) return;
    await lease.renew();
    const signal = AbortSignal.any([lease.signal, this.#deps.abort]);
    await client.deleteSession(github.scaleSetId, session.sessionId, { signal });
    await claim.write(({ session: _session, ...record }) => record);
    this.#log.info('session closed');
  }

  #reportWait(wait: OpeningWait, epoch: number): void {
    const { clock } = this.#deps;
    const { answer, text, ownerText, attempts, conflictMs, nextAttemptInMs } = wait;
    if (answer.result !== 'conflict') {
      this.#status.enter('opening', { epoch, reason: text });
      return;
    }
    const lasting = conflictMs >= defaultOpeningPolicy.conflictEarlyMs;
    this.#status.enter(lasting ? 'conflicted' : 'opening', {
      epoch,
      reason: text,
      conflict: {
        since: new Date(clock.now() - conflictMs).toISOString(),
        attempts,
        nextAttemptAt: new Date(clock.now() + nextAttemptInMs).toISOString(),
        ...(ownerText === undefined ? {} : { ownerText }),
      },
    });
  }

  async #reportFailure(error: unknown, failures: number): Promise<void> {
    const { random } = this.#deps;
    const passing =
      error instanceof AppError && (error.code === 'nats' || error.code === 'conflict');
    const waitMs = passing ? 200 : Math.round(backoffMs(failures, failurePolicy, random));
    if (passing) this.#log.warn({ err: error }, 'scale set given up for now');
    else if (error instanceof AppError) {
      this.#log.error({ reason: errorText(error), waitMs }, 'scale set cannot be served');
      this.#status.enter('failed', { reason: errorText(error) });
    } else this.#log.error({ err: error, waitMs }, 'scale set failed unexpectedly');
    await this.#waitForSpec(waitMs);
  }

  async #waitForSpec(maxMs: number, signal: AbortSignal = this.#stop): Promise<void> {
    const { clock, specHints } = this.#deps;
    await specHints.waitFor(this.#spec.scaleSetId, { clock, maxMs, signal });
  }
}

/** The process must not run: somebody else lives under its identity. */
class IdentityTakenError extends Error {
  constructor(cause: ConfigError) {
    super(cause.message, { cause });
  }
}
