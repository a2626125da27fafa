import { AppError } from '@baton/shared/errors';
import { z } from 'zod';
import { BareProcess } from '../measure/bare-process.ts';

const program = new URL('./span-counter-process.ts', import.meta.url);
const answerSchema = z.object({
  url: z.string(),
  byService: z.record(z.string(), z.int()),
  violations: z.array(z.string()),
});

/** A receiver of OTLP in a process of its own, whose CPU time is nobody's here. */
export class SpanCounter implements AsyncDisposable {
  readonly url: string;
  readonly #process: BareProcess;

  private constructor(process: BareProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  static async start(signal: AbortSignal): Promise<SpanCounter> {
    const process = await BareProcess.start(program, signal);
    const { url } = await process.ask({}, answerSchema);
    return new SpanCounter(process, url);
  }

  /**
   * How many spans came so far, by service.
   * @throws AppError `contract` when something came that is no OTLP.
   */
  async counts(): Promise<Record<string, number>> {
    const { byService, violations } = await this.#process.ask({}, answerSchema);
    if (violations.length === 0) return byService;
    throw new AppError('contract', violations.join('\n'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
