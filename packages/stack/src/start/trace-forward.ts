import { AppError, errorText } from '@baton/shared/errors';
import type { OtlpTarget } from '@baton/shared/telemetry';
import { type Clock, withDeadline } from '@baton/shared/time';

interface ForwardOptions {
  target: Pick<OtlpTarget, 'url' | 'headers'>;
  clock: Clock;
  say: (text: string) => void;
  /** Aborted: what is under way is given up. */
  hurry: AbortSignal;
}

const timeoutMs = 5_000;
/** Requests under way; what comes then is not passed on, so that a slow collector fills no memory. */
const mostAtOnce = 32;

/**
 * Passes traces on to a collector, over OTLP/HTTP in JSON. What that does not take is missing there, which is
 * said once. Never throws and never makes anybody wait, until it is disposed of.
 */
export class TraceForward implements AsyncDisposable {
  readonly #options: ForwardOptions;
  readonly #sending = new Set<Promise<void>>();
  #hasTold = false;

  constructor(options: ForwardOptions) {
    this.#options = options;
  }

  pass(request: object): void {
    if (this.#sending.size >= mostAtOnce) {
      this.#tell('it is too slow');
      return;
    }
    const sending = this.#send(JSON.stringify(request))
      .catch((error: unknown) => this.#tell(errorText(error)))
      .finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  async #send(body: string): Promise<void> {
    const { target, clock, hurry } = this.#options;
    const headers = new Headers({ 'content-type': 'application/json' });
    for (const [name, value] of Object.entries(target.headers)) headers.set(name, value.reveal());
    const deadline = { clock, timeoutMs, what: 'its answer', signal: hurry };
    await withDeadline(deadline, async (signal) => {
      const response = await fetch(target.url, { method: 'POST', headers, body, signal });
      await response.arrayBuffer();
      if (!response.ok) throw new AppError('unexpected', `it answers ${response.status}`);
    });
  }

  #tell(why: string): void {
    if (!this.#hasTold) this.#options.say(`traces are missing at the collector: ${why}`);
    this.#hasTold = true;
  }

  /** Waits for what is under way, for some seconds. May be called twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sending);
  }
}
