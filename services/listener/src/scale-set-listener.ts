import type { Spec } from '@baton/shared/contracts';
import { ConfigError } from '@baton/shared/errors';
import { inSpan, type Logger } from '@baton/shared/telemetry';
import { isAborted } from '@baton/shared/time';
import { CapacityWatch } from './capacity-watch.ts';
import { closeSession, liveRegistration, removeScaleSet } from './close-session.ts';
import { type Contended, contend } from './contend.ts';
import { FailureWait } from './failure-wait.ts';
import type { ListenerDeps } from './listener-deps.ts';
import { openSession } from './open-session.ts';
import { OpeningTrace } from './opening-trace.ts';
import { recoverSession } from './recover-session.ts';
import { registerScaleSet } from './register-scale-set.ts';
import { ScaleSetEvents } from './scale-set-events.ts';
import { type End, type Holding, serveSession } from './serve-session.ts';
import { SessionClaim } from './session-claim.ts';
import { endOf, SessionReporter } from './session-reporter.ts';
import { StatusReporter } from './status-reporter.ts';
import { withdrawSession } from './withdraw-session.ts';

/** How often a resting scale set looks whether it may go on, in ms; a changed spec wakes it. */
const restMs = 30_000;

/** Works on one scale set: waits for its lease, holds its session, gives it up again. */
export class ScaleSetListener {
  readonly #deps: ListenerDeps;
  readonly #log: Logger;
  readonly #status: StatusReporter;
  readonly #reports: SessionReporter;
  readonly #capacity: CapacityWatch;
  readonly #failure: FailureWait;
  readonly #trace: OpeningTrace;
  /** Aborted when the scale set is not ours to work on any more: the process drains, or its spec is gone. */
  readonly #stop: AbortSignal;
  #spec: Spec;
  /** Ends the wait for a session that is not wanted any more. */
  #opening: AbortController | undefined;
  /** Another listener should have the scale set. */
  #moving = false;
  /** It was polled in this turn. */
  #served = false;

  constructor(deps: ListenerDeps, spec: Spec, stop: AbortSignal) {
    const { scaleSetId } = spec;
    this.#deps = deps;
    this.#spec = spec;
    this.#stop = stop;
    this.#log = deps.log.child({ component: 'session', scaleSetId });
    const { identity } = deps.leases.holder;
    const common = { ...deps, log: this.#log };
    const events = new ScaleSetEvents(common, scaleSetId, identity);
    this.#status = new StatusReporter({ ...common, events }, scaleSetId, identity);
    this.#reports = new SessionReporter({ ...common, events, status: this.#status });
    this.#trace = new OpeningTrace(deps.clock, scaleSetId);
    this.#failure = new FailureWait({ ...common, reports: this.#reports }, scaleSetId);
    this.#capacity = new CapacityWatch({ ...deps, log: this.#log }, () => this.#spec);
    this.#capacity.onChange(() => this.#status.advertised(this.#capacity.current));
  }

  /** A newer version of the scale set's spec; takes effect without giving up the session. */
  update(spec: Spec): void {
    if (spec.updatedAt === this.#spec.updatedAt) return;
    // The clients belong to it: the scale set is given up and taken again, in the same session.
    this.#moving ||= spec.declaration.credential !== this.#spec.declaration.credential;
    this.#spec = spec;
    this.#deps.specHints.wake(spec.scaleSetId);
    void this.#capacity.read().then(() => this.#endOpening());
  }

  get polls(): boolean {
    return this.#status.state === 'polling' && !this.#moving;
  }

  /** Of the latest claim. */
  get epoch(): number {
    return this.#status.current.epoch;
  }

  /** Gives the scale set to the listener that contends for it first, then contends again. */
  handOver(): void {
    this.#moving = true;
    this.#deps.specHints.wake(this.#spec.scaleSetId);
  }

  /** Runs until `stop` is aborted. Never rejects but for a ConfigError that concerns the process. */
  async run(): Promise<void> {
    while (!this.#stop.aborted) {
      try {
        if (await this.#mayRest()) await this.#rest();
        else await this.#takeTurn();
        this.#failure.forget();
      } catch (error) {
        if (isAborted(this.#stop)) break;
        if (error instanceof IdentityTakenError) throw error.cause;
        await this.#failure.tellAndWait(error, this.#stop);
      }
    }
    await this.#status.close();
  }

  /** Disabled, and no session of ours is left at GitHub: nothing to do. */
  async #mayRest(): Promise<boolean> {
    const { sessions } = this.#deps;
    if (this.#spec.declaration.enabled && !this.#spec.deleting) return false;
    const record = (await sessions.get(this.#spec.scaleSetId))?.value;
    if (record?.session) return false;
    if (this.#spec.deleting && (await liveRegistration(this.#deps, this.#spec.scaleSetId))) {
      return false;
    }
    const state = this.#spec.deleting ? 'deleted' : 'disabled';
    if (this.#status.state !== state) this.#status.enter(state);
    return true;
  }

  async #rest(): Promise<void> {
    const { clock, specHints } = this.#deps;
    const waiting = { clock, maxMs: restMs, signal: this.#stop };
    await specHints.waitFor(this.#spec.scaleSetId, waiting);
  }

  async #takeTurn(): Promise<void> {
    const { members, metrics, clock } = this.#deps;
    const { scaleSetId } = this.#spec;
    this.#status.leaveQuietly();
    this.#moving = false;
    this.#served = false;
    const contended = await contend(this.#deps, {
      scaleSetId,
      rank: (gone) => members.rankFor(scaleSetId, gone),
      leaseHints: this.#deps.leaseHints,
      signal: this.#stop,
    }).catch((error: unknown) => {
      throw error instanceof ConfigError ? new IdentityTakenError(error) : error;
    });
    const { lease, how, goneSince } = contended;
    metrics.leaseTaken(scaleSetId, how, clock.monotonic() - goneSince);
    this.#trace.leaseTaken(contended);
    try {
      await this.#holdOn(contended);
    } finally {
      this.#trace.end();
      if (lease.lossReason) metrics.leaseLost(scaleSetId, lease.lossReason);
      await lease.release();
      this.#deps.hints.send('lease', scaleSetId);
    }
  }

  /** Says what went wrong before the lease is given up, so that the next holder knows of it. */
  async #holdOn(contended: Contended): Promise<void> {
    const signal = AbortSignal.any([contended.lease.signal, this.#stop]);
    await this.#failure.outlast(
      () => this.#hold(contended),
      signal,
      async () => {
        await this.#status.settled();
        return !this.#served && this.#status.failedElsewhere;
      },
    );
  }

  async #hold({ lease, goneSince }: Contended): Promise<void> {
    const deps = this.#deps;
    const spec = this.#spec;
    const { identity, incarnation } = deps.leases.holder;
    const owner = `${identity}/${incarnation}`;
    const claim = await this.#trace.step('claim session', () =>
      SessionClaim.take(deps, { ...spec, owner, signal: lease.signal }),
    );
    this.#reports.takesOver(claim.record.session && goneSince);
    this.#log.info({ epoch: claim.epoch }, 'scale set claimed');
    const { client, queue } = deps.github(spec.declaration.credential, spec.declaration.configUrl);
    const holding: Holding = { lease, claim, client, queue };
    for (;;) {
      const end = this.#shouldEnd();
      if (end && end !== 'drained') return await this.#giveUp(holding, end);
      this.#status.enter('opening', { epoch: claim.epoch });
      try {
        const served = await this.#openAndServe(holding);
        if (served !== 'withdrawn') return await this.#giveUp(holding, served);
        this.#reports.ended('closed');
        await withdrawSession(this.#serveDeps(claim), holding);
      } catch (error) {
        this.#reports.ended(endOf(error));
        lease.signal.throwIfAborted();
        await recoverSession(this.#serveDeps(claim), holding, error);
      }
    }
  }

  async #openAndServe(holding: Holding): Promise<End> {
    const { claim } = holding;
    this.#opening = new AbortController();
    const cancel = AbortSignal.any([this.#stop, this.#opening.signal]);
    const open = await this.#trace.finish(() =>
      this.#open(holding, cancel).catch((error: unknown) => {
        if (holding.lease.signal.aborted || !cancel.aborted) throw error;
        return undefined;
      }),
    );
    if (!open) return this.#shouldEnd(claim) ?? 'stopped';
    const { sent, registered, opened, traceparent } = open;
    this.#served = true;
    this.#reports.opened(opened, claim.record.session?.openedAt, claim.epoch);
    return await serveSession(this.#serveDeps(claim), {
      ...holding,
      githubScaleSetId: registered.scaleSetId,
      sent,
      faulty: Boolean(registered.problems?.length),
      traceparent,
      ...opened,
    });
  }

  #serveDeps(claim: SessionClaim) {
    return {
      ...this.#deps,
      log: this.#log,
      status: this.#status,
      capacity: this.#capacity,
      stop: this.#stop,
      spec: () => this.#spec,
      shouldEnd: () => this.#shouldEnd(claim),
      wanted: () => this.#shouldEnd() === undefined,
    };
  }

  /** Registration and session. A wait for GitHub ends with `cancel`; a call that made something does not. */
  async #open(holding: Holding, cancel: AbortSignal) {
    const { claim, lease, client } = holding;
    const signal = AbortSignal.any([lease.signal, cancel]);
    const { registrations } = this.#deps;
    const registering = { client, registrations, log: this.#log, status: this.#status, signal };
    const sent = this.#spec;
    const registered = await inSpan('register scale set', {}, () =>
      registerScaleSet(registering, sent),
    );
    await this.#capacity.read();
    this.#endOpening();
    const opened = await openSession(
      {
        ...this.#deps,
        ...holding,
        cancel,
        policy: this.#deps.opening,
        log: this.#log,
        onWait: (wait) => this.#reports.waiting(wait, claim.epoch),
      },
      {
        githubScaleSetId: registered.scaleSetId,
        ownerName: `baton-${this.#spec.installationId}-${claim.record.owner}`,
      },
    );
    return { sent, registered, opened };
  }

  /** A scale set that was disabled, or is to go and has no runners, needs no session any more. */
  #endOpening(): void {
    if (this.#shouldEnd()) this.#opening?.abort();
  }

  #shouldEnd(claim?: SessionClaim): End | undefined {
    if (this.#stop.aborted) return 'stopped';
    if (this.#moving) return 'moved';
    if (this.#spec.deleting) {
      const idle = this.#capacity.aliveCount === 0 && (claim?.record.demand?.assigned ?? 0) === 0;
      return idle ? 'drained' : undefined;
    }
    return this.#spec.declaration.enabled ? undefined : 'disabled';
  }

  /** Hands over to a living peer, which resumes the session; without one the session is closed. */
  async #giveUp(holding: Holding, end: End): Promise<void> {
    const { claim, lease } = holding;
    // A stop of this scale set alone, without a drain, means that its spec is gone.
    const peers = this.#deps.draining.aborted && (await this.#deps.peersLive());
    if (peers || end === 'moved') {
      this.#log.info('session handed over');
      this.#reports.ended('handed over');
      this.#status.enter('waiting', { epoch: claim.epoch, reason: 'handed over' });
      // Before the lease is released: the successor's word must be the later one.
      await this.#status.settled();
      return;
    }
    const deps = { ...this.#deps, log: this.#log };
    await closeSession(deps, holding);
    this.#reports.ended('closed');
    if (end === 'drained') await removeScaleSet(deps, this.#spec, holding);
    const state = end === 'drained' ? 'deleted' : end === 'disabled' ? 'disabled' : 'waiting';
    this.#status.enter(state, { epoch: claim.epoch });
    await this.#status.settled();
    lease.signal.throwIfAborted();
  }
}

/** The process must not run: somebody else lives under its identity. */
class IdentityTakenError extends Error {
  constructor(cause: ConfigError) {
    super(cause.message, { cause });
  }
}
