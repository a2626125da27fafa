import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunnerIdentity } from './jit-config.ts';

/** How long a runner goes on without any answer, be it an error, before it gives up. */
const giveUpAfterMs = 120_000;
const maxRetryMs = 2000;

interface Answer {
  status: number;
  /** Undefined when there is no body. */
  body: unknown;
}

interface Call {
  method: 'GET' | 'POST';
  path: string;
  body?: unknown;
  signal?: AbortSignal;
}

/** The runner's connection to the simulator. Calls are repeated until the server has answered. */
export class ServerLink implements Disposable {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2 });
  token = '';
  /** Aborted when the runner's process was killed: nothing is said after that. */
  readonly signal: AbortSignal | undefined;

  constructor({ serverUrl }: RunnerIdentity, signal?: AbortSignal) {
    this.#url = serverUrl;
    this.signal = signal;
  }

  /** As its process would by its end: an idle connection would stay for as long as the server lets it. */
  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  /** Any answer below 500. Safe because the server accepts every runner call twice. */
  async call(wanted: Call): Promise<Answer> {
    const signals = [wanted.signal, this.signal].filter((signal) => signal !== undefined);
    const call = { ...wanted, signal: AbortSignal.any(signals) };
    let answeredAt = performance.now();
    for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, maxRetryMs)) {
      const answer = await this.#once(call).catch((error: unknown) => error);
      if (isAnswer(answer)) {
        if (answer.status < 500) return answer;
        answeredAt = performance.now();
      }
      call.signal.throwIfAborted();
      if (performance.now() - answeredAt > giveUpAfterMs) throw new Error('no answer');
      await delay(waitMs, undefined, { signal: call.signal });
    }
  }

  #once({ method, path, body, signal }: Call): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = request(
        `${this.#url}${path}`,
        {
          method,
          agent: this.#agent,
          headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${this.token}` },
          ...(signal ? { signal } : {}),
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('error', reject);
          response.on('end', () => {
            try {
              const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : undefined;
              resolve({ status: response.statusCode ?? 500, body: parsed });
            } catch (error) {
              reject(error instanceof Error ? error : new Error('the answer is not JSON'));
            }
          });
        },
      );
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null && 'status' in value;
}
