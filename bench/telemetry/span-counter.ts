import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { AppError } from '@baton/shared/errors';
import { z } from 'zod';

const program = fileURLToPath(new URL('./span-counter-process.ts', import.meta.url));
const startedSchema = z.object({ url: z.string() });
const countsSchema = z.object({
  byService: z.record(z.string(), z.int()),
  violations: z.array(z.string()),
});

/** A receiver of OTLP in a process of its own, whose CPU time is nobody's here. */
export class SpanCounter implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(): Promise<SpanCounter> {
    const child = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    return new SpanCounter(child, startedSchema.parse(await nextMessage(child)).url);
  }

  /**
   * How many spans came so far, by service.
   * @throws AppError `contract` when something came that is no OTLP.
   */
  async counts(): Promise<Record<string, number>> {
    this.#child.send('count');
    const { byService, violations } = countsSchema.parse(await nextMessage(this.#child));
    if (violations.length === 0) return byService;
    throw new AppError('contract', violations.join('\n'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const { signal } = ended;
  try {
    const exit = once(child, 'exit', { signal }).then(() => {
      throw new AppError('unexpected', 'the receiver of spans ended');
    });
    const answer: unknown[] = await Promise.race([once(child, 'message', { signal }), exit]);
    return answer[0];
  } finally {
    ended.abort();
  }
}
