import {
  attributes,
  inSpan,
  recordSpan,
  type Span,
  startSpan,
  withinSpan,
} from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { Contended } from './contend.ts';
import type { Opened } from './open-session.ts';

/**
 * The trace of how one scale set comes to a session: `open session`, with a child for each step. A
 * session that is opened anew has a trace of its own.
 */
export class OpeningTrace {
  readonly #clock: Clock;
  readonly #scaleSetId: string;
  #span: Span | undefined;

  constructor(clock: Clock, scaleSetId: string) {
    this.#clock = clock;
    this.#scaleSetId = scaleSetId;
  }

  /** A lease was taken, which is the first step. */
  leaseTaken({ how, goneSince }: Contended): void {
    const endedAt = this.#clock.now();
    const startedAt = endedAt - Math.round(this.#clock.monotonic() - goneSince);
    this.#span = this.#begin(startedAt);
    const { traceparent: parent } = this.#span;
    const told = { [attributes.leaseFound]: how };
    recordSpan('take lease', { parent, startedAt, endedAt, attributes: told });
  }

  /** A step before the last. */
  async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    return await this.#within(() => inSpan(name, {}, work));
  }

  /**
   * The last step, which ends with an open session; adds the `traceparent` of it all. Undefined when
   * none is wanted any more.
   */
  async finish<T extends { opened: Opened }>(work: () => Promise<T | undefined>) {
    return await this.#within(async (span) => {
      const result = await work();
      if (!result) return undefined;
      const { how, replaced, session } = result.opened;
      span.set({
        [attributes.sessionHow]: how,
        [attributes.sessionReplaced]: replaced,
        [attributes.session]: session.sessionId,
      });
      this.end();
      return { ...result, traceparent: span.traceparent };
    });
  }

  /** Nothing follows: a session is open, or none is wanted any more. May be called again. */
  end(): void {
    this.#span?.end();
    this.#span = undefined;
  }

  async #within<T>(work: (span: Span) => Promise<T>): Promise<T> {
    const span = this.#span ?? this.#begin();
    this.#span = span;
    try {
      return await withinSpan(span, () => work(span));
    } catch (error) {
      span.fail(error);
      this.end();
      throw error;
    }
  }

  #begin(startedAt = this.#clock.now()): Span {
    const told = { [attributes.scaleSet]: this.#scaleSetId };
    return startSpan('open session', { parent: null, startedAt, attributes: told });
  }
}

/** A span for each kind of call that is made to open a session, with all its repetitions in it. */
export class CallSpans {
  #call: string | undefined;
  #span: Span | undefined;
  #attempts = 0;
  #told: string | undefined;

  /** Makes a call as a part of the span of its kind. */
  async during<T>(call: string, work: () => Promise<T>): Promise<T> {
    if (call !== this.#call) {
      this.end();
      this.#call = call;
      this.#span = startSpan(`${call} session`);
    }
    this.#attempts += 1;
    return this.#span ? await withinSpan(this.#span, work) : await work();
  }

  /** What came of a call that did not open the session; said again only when it is something else. */
  answered(result: string): void {
    if (result === this.#told) return;
    this.#told = result;
    this.#span?.event(result);
  }

  /** Nothing like the last call follows. */
  end(error?: unknown): void {
    this.#span?.set({ [attributes.attempts]: this.#attempts });
    if (error !== undefined) this.#span?.fail(error);
    this.#span?.end();
    this.#span = undefined;
    this.#call = undefined;
    this.#attempts = 0;
    this.#told = undefined;
  }
}
