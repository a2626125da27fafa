import { AppError } from '@baton/shared/errors';
import type { Lease, LeaseStore } from '@baton/shared/lease';
import type { Random } from '@baton/shared/retry';
import { isAborted, withSoftDeadline } from '@baton/shared/time';
import { untilNextRunMs } from './core/next-run.ts';
import { type SweepPart, sweepLeaseKey } from './parts.ts';
import { type RunDeps, recordedRun } from './recorded-run.ts';
import type { Led } from './run-sweep.ts';
import type { SweepResult } from './sweep-run.ts';

export interface LeaderDeps extends RunDeps {
  leases: LeaseStore;
  random: Random;
  /** The period of the sweeps, in ms, and of those that need a list of GitHub each time. */
  everyMs: { usual: number; github: number };
  /** Longest time that a run may take, in ms. */
  timeoutMs: number;
  /** See `untilNextRunMs`. */
  phaseMs: number;
}

/** A run that does not heed its deadline is given up after this, in ms. */
const graceMs = 5_000;

interface RunNow {
  dryRun: boolean;
  timeoutMs: number;
}

/** A leadership: what was seen once is remembered for as long as it lasts. */
interface Reign {
  led: Led;
  /** Aborted when nothing may be done any more. */
  signal: AbortSignal;
}

/**
 * Leads one part of a sweep whenever no other process does: runs it by the clock, and when asked to,
 * one run at a time. When the lease is lost nothing is done any more, and what was remembered is
 * forgotten: the next leader begins to observe anew.
 */
export class SweepLeader {
  readonly part: SweepPart;
  readonly #deps: LeaderDeps;
  #reign: Reign | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: LeaderDeps, part: SweepPart) {
    this.#deps = deps;
    this.part = part;
  }

  get leads(): boolean {
    return this.#reign !== undefined && !this.#reign.signal.aborted;
  }

  /** Contends for the part and leads it, until the signal is aborted. Never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock, leases, random } = this.#deps;
    while (!isAborted(stop)) {
      const lease = await this.#tryAcquire();
      if (lease) await this.#lead(lease, stop);
      const waitMs = (leases.ttlMs / 2) * (0.5 + 0.5 * random());
      await clock.sleep(waitMs, stop).catch(() => undefined);
    }
  }

  /**
   * Runs it now, or says what a run would do.
   * @throws AppError `conflict` when another process leads, or whatever the run fails with.
   */
  async runNow({ dryRun, timeoutMs }: RunNow): Promise<SweepResult> {
    return await this.#inTurn(async () => {
      const reign = this.#reign;
      if (!reign) throw new AppError('conflict', 'this janitor does not lead the sweep any more');
      return await this.#runOnce(reign, { dryRun, timeoutMs });
    });
  }

  async #tryAcquire(): Promise<Lease | undefined> {
    const { leases, log } = this.#deps;
    const { sweep, hostId } = this.part;
    try {
      return await leases.tryAcquire(sweepLeaseKey(sweep.name, hostId));
    } catch (err) {
      log.debug({ sweep: sweep.name, err }, 'sweep cannot be contended for');
      return undefined;
    }
  }

  async #lead(lease: Lease, stop: AbortSignal): Promise<void> {
    const { metrics, log } = this.#deps;
    const part = { sweep: this.part.sweep.name, hostId: this.part.hostId };
    const signal = AbortSignal.any([lease.signal, stop]);
    const led = { part: this.part, memory: this.part.sweep.begin(), seen: new Map() };
    const reign = { led, signal };
    this.#reign = reign;
    metrics.leads(part);
    log.debug(part, 'leads the sweep');
    try {
      await this.#runByTheClock(reign);
    } finally {
      this.#reign = undefined;
      metrics.leadsNoMore(part);
      await lease.release();
    }
  }

  async #runByTheClock(reign: Reign): Promise<void> {
    const { clock, everyMs, phaseMs, random, timeoutMs, log } = this.#deps;
    const { needs, asksAbout, name: sweep } = this.part.sweep;
    const alwaysAsks = needs.includes('registrations') && typeof asksAbout !== 'function';
    const period = alwaysAsks ? everyMs.github : everyMs.usual;
    while (!isAborted(reign.signal)) {
      const waitMs = untilNextRunMs({ everyMs: period, phaseMs, nowMs: clock.monotonic(), random });
      await clock.sleep(waitMs, reign.signal).catch(() => undefined);
      if (isAborted(reign.signal)) return;
      await this.#inTurn(() => this.#runOnce(reign, { dryRun: false, timeoutMs })).catch(
        (err: unknown) => {
          if (!isAborted(reign.signal))
            log.warn({ sweep, err }, 'sweep failed, the next run tries');
        },
      );
    }
  }

  /** One at a time. */
  async #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(run);
    this.#last = mine.catch(() => undefined);
    return await mine;
  }

  async #runOnce(reign: Reign, { dryRun, timeoutMs }: RunNow): Promise<SweepResult> {
    const { clock } = this.#deps;
    const { led, signal: lead } = reign;
    const what = `sweep ${this.part.sweep.name}`;
    return await withSoftDeadline({ clock, timeoutMs, graceMs, what, signal: lead }, (signal) =>
      recordedRun(this.#deps, led, { dryRun, signal, lead }),
    );
  }
}
