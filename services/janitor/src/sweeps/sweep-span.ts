import { attributes, inSpan, recordSpan } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { SweepPart } from './parts.ts';
import type { SweepResult } from './sweep-run.ts';

/** Of so many runners that a run acts on the traces are linked. */
const mostLinks = 100;

interface Planned {
  planned: SweepResult;
  /** `traceparent`s of the runners that are acted on. */
  runners: readonly (string | undefined)[];
  /** The hold that stood before. */
  heldBefore: string | undefined;
}

/**
 * One run of a sweep as a span `sweep <name>`, the first of a trace, from when it began to look. Only a run
 * that does something, holds something anew, has a problem or fails is told: the others would be one a
 * minute for every sweep. So it is not open while the run looks.
 */
export class SweepSpan {
  readonly #part: SweepPart;
  readonly #clock: Clock;
  readonly #startedAt: number;
  #told = false;

  constructor(part: SweepPart, clock: Clock) {
    this.#part = part;
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  /** Does what was decided, as the span if that is worth one. */
  async around(
    { planned, runners, heldBefore }: Planned,
    work: () => Promise<SweepResult>,
  ): Promise<SweepResult> {
    const { hold, problem } = planned;
    const isNews = runners.length > 0 || hold?.id !== heldBefore || problem !== undefined;
    if (!isNews) return await work();
    this.#told = true;
    const options = { ...this.#options, links: runners.slice(0, mostLinks) };
    return await inSpan(this.#name, options, async (span) => {
      const result = await work();
      const { acted, lookedAt } = result;
      span.set({
        [attributes.lookedAt]: lookedAt,
        [attributes.acted]: Object.values(acted).reduce((sum, count) => sum + count, 0),
        [attributes.held]: result.hold?.count,
      });
      if (problem !== undefined) span.fail(new Error(problem));
      return result;
    });
  }

  /** Nothing could be decided, or the run was cut short. */
  failed(error: unknown): void {
    if (this.#told) return;
    recordSpan(this.#name, { ...this.#options, endedAt: this.#clock.now(), error });
  }

  get #name(): string {
    return `sweep ${this.#part.sweep.name}`;
  }

  get #options() {
    const { sweep, hostId } = this.#part;
    const told = { [attributes.sweep]: sweep.name, [attributes.host]: hostId };
    return { parent: null, startedAt: this.#startedAt, attributes: told };
  }
}
