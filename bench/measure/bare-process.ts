import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@baton/shared/errors';
import type { z } from 'zod';

/** As a listener and a janitor are run, so that their memory can be compared with that of a bare program. */
export const smallHeap = ['--max-semi-space-size=8', '--heap-growing-percent=30'];

/** Where services keep theirs: without one, a process has loaded what takes the types away, 18 MB. */
const compileCache = process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'node-compile-cache');

interface BareOptions {
  args?: readonly string[];
  /** Options of Node. */
  nodeOptions?: readonly string[];
}

/** A small program of a benchmark in a process of its own. It answers questions, and ends with its channel. */
export class BareProcess implements AsyncDisposable {
  /** Wall clock, ms. */
  readonly startedAt = Date.now();
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal;

  private constructor(program: URL, signal: AbortSignal, options: BareOptions) {
    const { args = [], nodeOptions = [] } = options;
    this.#name = program.pathname.split('/').at(-1) ?? '';
    this.#signal = signal;
    this.#child = fork(program, args, {
      execArgv: [...nodeOptions],
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
      // What it prints is not the report.
      stdio: ['ignore', process.stderr.fd, 'inherit', 'ipc'],
    });
  }

  /** Starts it and ends it, so that it is compiled when it is measured. */
  static async compile(
    program: URL,
    signal: AbortSignal,
    options: BareOptions = {},
  ): Promise<void> {
    await using _compiled = await BareProcess.start(program, signal, options);
  }

  /** Resolves when it has sent its first message. */
  static async start(
    program: URL,
    signal: AbortSignal,
    options: BareOptions = {},
  ): Promise<BareProcess> {
    await using undo = new AsyncDisposableStack();
    const started = undo.use(new BareProcess(program, signal, options));
    await started.#nextMessage();
    undo.move();
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** One question at a time. Rejects when the process ends instead of answering. */
  async ask<S extends z.ZodType>(question: object, answerSchema: S): Promise<z.output<S>> {
    const answer = this.#nextMessage();
    this.#child.send(question);
    return answerSchema.parse(await answer);
  }

  async #nextMessage(): Promise<unknown> {
    const settled = new AbortController();
    const either = { signal: AbortSignal.any([this.#signal, settled.signal]) };
    try {
      const exit = once(this.#child, 'exit', either).then(() => {
        throw new AppError('unexpected', `${this.#name} ended`);
      });
      const answer: unknown[] = await Promise.race([once(this.#child, 'message', either), exit]);
      return answer[0];
    } finally {
      settled.abort();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    await ended;
  }
}
