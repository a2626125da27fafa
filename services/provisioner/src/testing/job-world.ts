import type { Demand, Plan, Runner, ScaleSetDeclaration, Spec } from '@baton/shared/contracts';
import { aDemand, aRunner, aSpec } from '@baton/testkit';
import { planScaleSet } from '../core/plan-scale-set.ts';
import { after, aPlanInput, countingIds, startMs } from './plan-input.ts';

interface Job {
  id: string;
  arrivedMs: number;
  durationMs: number;
  startedMs?: number;
  runnerId?: string;
}

interface WorldOptions {
  declaration?: Partial<ScaleSetDeclaration>;
  /** From being named to being online. */
  bootMs?: number;
  /** GitHub removes a runner that has been idle for so long. */
  idleMs?: number;
  /** Between two plans. */
  stepMs?: number;
  /** The end of a job is in the record of its runner so long after GitHub stopped counting it. */
  endLateMs?: number;
}

/**
 * A scale set, GitHub and a provider without any failure but those that a test asks for: jobs come and
 * are given to idle runners, GitHub counts them, wrongly by `ghosts`. A plan is
 * made after every step.
 */
export class JobWorld {
  readonly runners = new Map<string, Runner>();
  readonly jobs: Job[] = [];
  readonly #options: Required<WorldOptions>;
  readonly #newId = countingIds('runner');
  readonly #onlineMs = new Map<string, number>();
  readonly spec: Spec;
  plan: Plan | undefined;
  demand: Demand | undefined;
  nowMs = 0;
  ghosts = 0;
  /** How many runners were ever named. */
  created = 0;
  mostAlive = 0;
  /** Conditions in the order in which they began (+) and ended (-). */
  readonly told: string[] = [];

  constructor(options: WorldOptions = {}) {
    const usual = { declaration: {}, bootMs: 20_000, idleMs: 300_000, stepMs: 5_000, endLateMs: 0 };
    this.#options = { ...usual, ...options };
    this.spec = aSpec({ declaration: { maxRunners: 20, ...options.declaration } });
  }

  addJob(durationMs = 60_000): Job {
    const job = { id: `${this.jobs.length}`, arrivedMs: this.nowMs, durationMs };
    this.jobs.push(job);
    return job;
  }

  get unfinished(): Job[] {
    return this.jobs.filter(
      ({ startedMs, durationMs }) => startedMs === undefined || startedMs + durationMs > this.nowMs,
    );
  }

  /** The longest that a job has waited. */
  get longestWaitMs(): number {
    return Math.max(0, ...this.jobs.map((job) => (job.startedMs ?? this.nowMs) - job.arrivedMs));
  }

  idle(): Runner[] {
    return [...this.runners.values()].filter(({ state }) => state === 'idle');
  }

  run(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += this.#options.stepMs;
      this.#live();
      this.#count();
      this.replan();
    }
  }

  #live(): void {
    for (const runner of [...this.runners.values()]) {
      const { runnerId, state } = runner;
      const ageMs = this.nowMs + startMs - Date.parse(runner.createdAt);
      const idleSince = this.#onlineMs.get(runnerId) ?? this.nowMs;
      if (state === 'starting' && ageMs >= this.#options.bootMs) {
        this.#onlineMs.set(runnerId, this.nowMs);
        this.#put(runner, { state: 'idle', onlineAt: this.#at });
      } else if (state === 'idle') {
        const job = this.jobs.find(({ startedMs }) => startedMs === undefined);
        if (job) this.#start(runner, job);
        else if (this.nowMs - idleSince >= this.#options.idleMs) this.#exit(runner);
      } else if (state === 'busy') this.#finish(runner);
    }
  }

  #start(runner: Runner, job: Job): void {
    job.startedMs = this.nowMs;
    job.runnerId = runner.runnerId;
    this.#put(runner, { state: 'busy', job: { jobId: job.id, startedAt: this.#at } });
  }

  #finish(runner: Runner): void {
    const job = this.jobs.find(({ runnerId }) => runnerId === runner.runnerId);
    const { endLateMs } = this.#options;
    if (!job || (job.startedMs ?? 0) + job.durationMs + endLateMs > this.nowMs) return;
    const completedIn = { epoch: 1, seq: (this.demand?.seq ?? 0) + 1 };
    this.#put(runner, { state: 'completed', completedIn, exit: { code: 0, at: this.#at } });
  }

  #exit(runner: Runner): void {
    this.#put(runner, { state: 'completed', exit: { code: 0, at: this.#at } });
  }

  #count(): void {
    const assigned = this.unfinished.length + this.ghosts;
    if (this.demand?.assigned === assigned) return;
    const seq = (this.demand?.seq ?? 0) + 1;
    this.demand = aDemand({ seq, assigned, observedAt: this.#at });
  }

  replan(): void {
    const { plan, ended, retire, changes } = planScaleSet({
      ...aPlanInput({ spec: this.spec, demand: this.demand, plan: this.plan }),
      runners: this.runners,
      newId: this.#newId,
      nowMs: startMs + this.nowMs,
    });
    this.plan = plan;
    for (const { runnerId } of plan.runners) {
      if (this.runners.has(runnerId)) continue;
      this.created += 1;
      const at = this.#at;
      const part = { runnerId, createdAt: at, stateAt: at, instanceId: runnerId };
      this.runners.set(runnerId, aRunner({ ...part, state: 'starting' }));
    }
    for (const { runnerId } of [...ended, ...retire.map(({ runner }) => runner)]) {
      this.runners.delete(runnerId);
    }
    for (const { condition, text } of changes) this.told.push(`${text ? '+' : '-'}${condition}`);
    this.mostAlive = Math.max(this.mostAlive, plan.runners.length);
  }

  #put(runner: Runner, part: Partial<Runner>): void {
    this.runners.set(runner.runnerId, { ...runner, ...part, stateAt: this.#at });
  }

  get #at(): string {
    return after(this.nowMs);
  }
}
