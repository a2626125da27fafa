import { errorText } from '@baton/shared/errors';
import { type Clock, isAborted } from '@baton/shared/time';
import { applyFault, type FaultDeps } from './faults.ts';
import { describeLie, type ToldLie } from './lies/lie.ts';
import type { LieBook } from './lies/lie-book.ts';
import type { LieStep } from './lies/random-lie.ts';
import type { Unit } from './process-units.ts';
import { describeFault } from './random-fault.ts';
import type { FaultStep, Step, Strike } from './schedule.ts';
import type { PlannedJob } from './workload.ts';

/** Something that was done, on the wall clock. What is over at once has `toMs` = `fromMs`. */
export interface Disturbance {
  fromMs: number;
  toMs: number;
  /** A process that was struck, `github`, or `provider`. */
  where: string;
  text: string;
  step: Step;
  /** Of a lie: its number in what was told. */
  lie?: number;
}

/** A service that was told to end. */
export interface Drain {
  name: string;
  exitCode: number;
  /** Wall clock, ms. */
  fromMs: number;
  toMs: number;
}

interface DriverOptions extends Pick<FaultDeps, 'sim' | 'killRunner'> {
  units: ReadonlyMap<string, Unit>;
  /** Where providers read how to lie. */
  lies: LieBook;
  clock: Clock;
  say: (text: string) => void;
}

/** A process that takes longer to say that it has started is slow, in ms. */
const longestStartMs = 5_000;

/** Carries a schedule out, and writes down what was done and what went wrong by itself. */
export class Driver {
  readonly disturbances: Disturbance[] = [];
  /** Processes that ended without having been told to. */
  readonly endedByThemselves: string[] = [];
  readonly drains: Drain[] = [];
  /** Ids of jobs whose runner is made to die. */
  readonly crashing = new Set<string>();
  /** Names of runners whose registration GitHub was made to drop. */
  readonly dropped = new Set<string>();
  readonly #options: DriverOptions;
  /** Those that we have ended, or are ending. */
  readonly #away = new Set<string>();
  #lies: ToldLie[] = [];
  #lieCount = 0;

  constructor(options: DriverOptions) {
    this.#options = options;
  }

  /** Every strike and fault at its time; resolves when all processes are back and no fault is left. */
  async run(steps: readonly Step[], signal: AbortSignal): Promise<void> {
    const { clock, sim } = this.#options;
    const startedAt = clock.monotonic();
    const running: Promise<void>[] = [];
    try {
      for (const step of steps) {
        await clock.sleep(Math.max(0, startedAt + step.atMs - clock.monotonic()), signal);
        running.push(this.#do(step, signal));
      }
    } finally {
      await Promise.all(running);
    }
    await sim.clearFaults();
  }

  /** Queues the jobs at their times. */
  async queueJobs(jobs: readonly PlannedJob[], signal: AbortSignal): Promise<void> {
    const { clock, sim } = this.#options;
    const startedAt = clock.monotonic();
    for (const { atMs, scaleSet, durationMs, crash } of jobs) {
      await clock.sleep(Math.max(0, startedAt + atMs - clock.monotonic()), signal);
      const ids = await sim.addJobs({
        scaleSet,
        durationMs,
        ...(crash ? { crashExitCode: 3 } : {}),
      });
      if (crash) for (const id of ids) this.crashing.add(id);
    }
  }

  /** Starts again what ends without our doing, until the signal is aborted. */
  async watch(signal: AbortSignal): Promise<void> {
    await Promise.all(
      [...this.#options.units.values()].map((unit) => this.#watchUnit(unit, signal)),
    );
  }

  async #watchUnit(unit: Unit, signal: AbortSignal): Promise<void> {
    const { clock, say } = this.#options;
    while (!isAborted(signal)) {
      const over = new Promise<undefined>((resolve) => {
        signal.addEventListener('abort', () => resolve(undefined), { once: true });
      });
      const how = await Promise.race([unit.ended(), over]);
      if (how === undefined || isAborted(signal)) return;
      if (!this.#away.has(unit.name)) {
        say(`${unit.name} ended by itself, ${how}`);
        this.endedByThemselves.push(`${unit.name} ended by itself, ${how}`);
        await unit.startAgain();
      }
      await clock.sleep(100, signal).catch(() => undefined);
    }
  }

  async #do(step: Step, signal: AbortSignal): Promise<void> {
    switch (step.kind) {
      case 'strike':
        return await this.#strike(step, signal);
      case 'fault':
        return await this.#fault(step, signal);
      case 'lie':
        return await this.#lie(step, signal);
    }
  }

  async #strike(step: Strike, signal: AbortSignal): Promise<void> {
    const { units, clock, say } = this.#options;
    const unit = units.get(step.victim);
    if (!unit) return;
    const text = `${step.how} ${step.victim}, back after ${step.backAfterMs} ms`;
    // A drain takes its time: what still ends would otherwise be started twice.
    if (this.#away.has(unit.name)) {
      say(`${text}: left out, it is not back from before`);
      return;
    }
    if (step.how === 'terminate' && !unit.started()) {
      say(`${text}: left out, it is still starting and knows no signals`);
      return;
    }
    say(text);
    const fromMs = clock.now();
    this.#away.add(unit.name);
    const disturbance = { fromMs, toMs: Number.POSITIVE_INFINITY, where: step.victim, text, step };
    this.disturbances.push(disturbance);
    try {
      await this.#carryOut(unit, step, signal);
    } catch (error) {
      this.endedByThemselves.push(`${text}: ${errorText(error)}`);
    }
    this.#away.delete(unit.name);
    disturbance.toMs = await this.#backAt(unit, signal);
  }

  /** When its process of now had started: that is the machine's time, not Baton's, as far as it is usual. */
  async #backAt(unit: Unit, signal: AbortSignal): Promise<number> {
    const { clock } = this.#options;
    const giveUpAt = clock.now() + longestStartMs;
    while (!unit.started() && clock.now() < giveUpAt && !isAborted(signal)) {
      await clock.sleep(20, signal).catch(() => undefined);
    }
    return clock.now();
  }

  async #carryOut(unit: Unit, { how, backAfterMs }: Strike, signal: AbortSignal): Promise<void> {
    const away = () => this.#options.clock.sleep(backAfterMs, signal).catch(() => undefined);
    if (how === 'freeze') {
      unit.freeze();
      await away();
      unit.thaw();
      return;
    }
    if (how === 'kill') await unit.kill();
    else {
      const fromMs = this.#options.clock.now();
      const exitCode = await unit.terminate();
      const toMs = this.#options.clock.now();
      this.drains.push({ name: unit.name, exitCode, fromMs, toMs });
    }
    await away();
    await unit.startAgain();
  }

  async #fault({ fault, ...step }: FaultStep, signal: AbortSignal): Promise<void> {
    const { sim, killRunner, clock, say } = this.#options;
    const text = describeFault(fault);
    say(text);
    const fromMs = clock.now();
    const { crashing, dropped } = this;
    const end = await applyFault({ sim, killRunner, crashing, dropped }, fault);
    const given = { fromMs, toMs: fromMs + fault.forMs, where: 'github', text };
    this.disturbances.push({ ...given, step: { ...step, fault } });
    if (!end) return;
    await clock.sleep(fault.forMs, signal).catch(() => undefined);
    await end();
  }

  /** Nothing has to end it: who is lied to reads until when. */
  async #lie(step: LieStep, signal: AbortSignal): Promise<void> {
    const { lies, clock, say } = this.#options;
    const { forMs, ...lie } = step.lie;
    const text = describeLie(step.lie);
    say(text);
    const fromMs = clock.now();
    const toMs = fromMs + forMs;
    this.#lieCount += 1;
    const id = this.#lieCount;
    this.disturbances.push({ fromMs, toMs, where: 'provider', text, step, lie: id });
    this.#lies = [...this.#lies, { ...lie, id, fromMs, untilMs: toMs }].filter(
      ({ untilMs }) => untilMs > fromMs,
    );
    await lies.write(this.#lies);
    await clock.sleep(forMs, signal).catch(() => undefined);
  }
}
