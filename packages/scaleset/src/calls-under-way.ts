import type { Clock } from '@baton/shared/time';
import { type CallPriority, hungAfterMs, type Running } from './decide-admission.ts';

/** A call under way, and for what it counts. */
export interface Call {
  countedAs: keyof Running;
  hangsAtMs: number;
}

/** Counts the calls under way; those that hang are set aside when somebody looks. */
export class CallsUnderWay {
  readonly running: Running = { session: 0, others: 0, hung: 0 };
  readonly #clock: Clock;
  /** Those that do not hang yet, in the order in which they began. */
  readonly #lively = new Set<Call>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Monotonic time at which the next one hangs; undefined when none can. */
  get nextHangsAtMs(): number | undefined {
    const [first] = this.#lively;
    return first?.hangsAtMs;
  }

  begin(priority: CallPriority): Call {
    const countedAs = priority === 'session' ? 'session' : 'others';
    const call: Call = { countedAs, hangsAtMs: this.#clock.monotonic() + hungAfterMs };
    this.running[countedAs] += 1;
    this.#lively.add(call);
    return call;
  }

  end(call: Call): void {
    this.running[call.countedAs] -= 1;
    this.#lively.delete(call);
  }

  setHungAside(): void {
    const now = this.#clock.monotonic();
    for (const call of this.#lively) {
      if (call.hangsAtMs > now) return;
      this.end(call);
      call.countedAs = 'hung';
      this.running.hung += 1;
    }
  }
}
