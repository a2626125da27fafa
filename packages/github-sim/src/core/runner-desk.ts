import { randomBytes } from 'node:crypto';
import type { Clock } from '@baton/shared/time';
import { DeadlineQueue } from './deadline-queue.ts';
import { Hold } from './hold.ts';
import type { JobFlow } from './job-flow.ts';
import type { Runner, RunnerAnswer, RunnerBehaviour } from './model.ts';
import type { SimOptions } from './options.ts';
import { Refusal } from './refusal.ts';
import type { Runners } from './runners.ts';

interface RunnerDeskOptions {
  clock: Clock;
  options: SimOptions;
  runners: Runners;
  flow: JobFlow;
  /** Until when (monotonic ms) runners cannot be blamed for being silent. */
  outageEndsAt: () => number;
  stop: AbortSignal;
}

interface Credentials {
  agentId: number;
  secret: string;
  /** Chosen by the process, so that it may repeat a call whose answer was lost. */
  instance: string;
}

/** Talks to runner processes: connect once, wait for a job, watch it, complete it. */
export class RunnerDesk {
  readonly #deps: RunnerDeskOptions;
  readonly #byToken = new Map<string, Runner>();
  readonly #holdEnds: DeadlineQueue<Hold<RunnerAnswer>>;
  readonly #offline: DeadlineQueue<Runner>;
  readonly #idle: DeadlineQueue<Runner>;
  readonly #everOnline: Runner[] = [];

  constructor(deps: RunnerDeskOptions) {
    this.#deps = deps;
    const { clock, options, stop } = deps;
    this.#holdEnds = new DeadlineQueue({
      clock,
      stop,
      delayMs: options.runnerPollMs,
      onDue: (hold) => hold.end({ kind: 'none' }),
    });
    this.#offline = new DeadlineQueue({
      clock,
      stop,
      delayMs: options.runnerOfflineMs,
      onDue: (runner) => this.#judgeSilence(runner),
    });
    this.#idle = new DeadlineQueue({
      clock,
      stop,
      delayMs: options.idleRunnerMs,
      onDue: (runner) => {
        if (runner.status === 'idle') this.#deps.runners.unregister(runner);
      },
    });
  }

  /** How many distinct runners ever came online. */
  get runnersOnline(): number {
    return this.#everOnline.length;
  }

  /** Those that came online and have had no job, in that order. */
  get unused(): Runner[] {
    return this.#everOnline.filter(({ hadJob }) => !hadJob);
  }

  /** What a runner process has been told by a test to do. */
  behaviour(agentId: number): RunnerBehaviour {
    const runner = this.#deps.runners.ever(agentId);
    return runner?.set.play.runner ?? { mode: 'normal', exitCode: 0, connectDelayMs: 0 };
  }

  /** Uses a JIT config, once. Safe to repeat by the same process. Returns its token. */
  connect({ agentId, secret, instance }: Credentials): string {
    const runner = this.#deps.runners.ever(agentId);
    if (!runner || runner.secret !== secret) throw refuse(401, 'The credentials are not valid.');
    if (!runner.registered) throw refuse(404, 'The runner registration has been deleted.');
    if (runner.instance !== undefined && runner.instance !== instance) {
      throw refuse(409, 'The JIT config has been used already.');
    }
    if (runner.token !== undefined) return runner.token;
    runner.instance = instance;
    runner.token = randomBytes(24).toString('base64url');
    runner.status = 'idle';
    runner.set.idle.add(runner);
    this.#byToken.set(runner.token, runner);
    runner.onlineAt = this.#deps.clock.now();
    this.#everOnline.push(runner);
    this.#seen(runner);
    this.#offline.push(runner);
    if (this.#deps.options.idleRunnerMs > 0) this.#idle.push(runner);
    return runner.token;
  }

  /**
   * Plays the process of a runner that never connected: it comes online, and has a job if one waits, which
   * it keeps until `finish`.
   */
  play(runner: Runner): void {
    const token = this.connect({ agentId: runner.id, secret: runner.secret, instance: 'played' });
    this.hold(token, 'wait');
  }

  /** Plays the end of its process: its job is done. False while it has none. */
  finish({ token, job }: Runner): boolean {
    if (token === undefined || !job) return false;
    this.complete(token, 'succeeded');
    return true;
  }

  /** Holds a runner's request: `wait` for a job, or `watch` a running one for cancellation. */
  hold(token: string, kind: 'wait' | 'watch'): Hold<RunnerAnswer> {
    const runner = this.#require(token);
    runner.held?.hold.end({ kind: 'none' });
    const hold = new Hold<RunnerAnswer>(() => {
      runner.held = undefined;
      runner.set.ready.delete(runner);
      this.#seen(runner);
      this.#offline.push(runner);
    });
    runner.held = { kind, hold };
    this.#reconnected(runner);
    this.#holdEnds.push(hold);
    const known = answerNow(runner, kind);
    if (known) hold.end(known);
    else if (kind === 'wait' && runner.registered) {
      runner.set.ready.add(runner);
      this.#deps.flow.match(runner.set);
    }
    return hold;
  }

  /** Completes the runner's job and removes its registration. Safe to repeat. */
  complete(token: string, result: string): void {
    const runner = this.#require(token);
    if (runner.finished) return;
    const job = runner.job;
    if (!job) throw refuse(410, 'The runner has no job.');
    runner.finished = true;
    runner.job = undefined;
    this.#deps.runners.unregister(runner);
    const canceled = result === 'canceled';
    this.#deps.flow.finish(job, {
      status: canceled ? 'canceled' : 'completed',
      result,
      ...(canceled ? { canceledBy: job.cancelRequested ? 'user' : 'service' } : {}),
    });
  }

  #require(token: string): Runner {
    const runner = this.#byToken.get(token);
    if (!runner) throw refuse(401, 'The runner is not connected.');
    return runner;
  }

  #seen(runner: Runner): void {
    runner.lastSeenAt = this.#deps.clock.monotonic();
  }

  #reconnected(runner: Runner): void {
    this.#seen(runner);
    if (!runner.registered || runner.status !== 'offline') return;
    runner.status = 'idle';
    runner.set.idle.add(runner);
  }

  #judgeSilence(runner: Runner): void {
    if (runner.held || !runner.registered || runner.status === 'offline') return;
    const { clock, options } = this.#deps;
    const silentSince = Math.max(runner.lastSeenAt, this.#deps.outageEndsAt());
    if (clock.monotonic() - silentSince < options.runnerOfflineMs) {
      if (silentSince > runner.lastSeenAt) this.#offline.push(runner);
      return;
    }
    if (runner.status === 'busy') {
      this.#deps.runners.unregister(runner);
      return;
    }
    runner.status = 'offline';
    runner.set.idle.delete(runner);
  }
}

function answerNow(runner: Runner, kind: 'wait' | 'watch'): RunnerAnswer | undefined {
  if (!runner.registered) return runner.told ? { kind: 'removed' } : undefined;
  if (kind === 'wait') return runner.job && { kind: 'job', job: runner.job };
  if (!runner.job) return { kind: 'removed' };
  return runner.job.cancelRequested ? { kind: 'cancel' } : undefined;
}

function refuse(status: number, message: string): Refusal {
  return new Refusal(status, { message });
}
