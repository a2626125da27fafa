import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { AppError, type ErrorCode } from '@baton/shared/errors';
import { exitCodes } from '@baton/shared/lifecycle';
import { systemClock, withDeadline } from '@baton/shared/time';

type OutputName = 'stdout' | 'stderr';

interface ChildOptions {
  name: string;
  /** Program and arguments. */
  command: readonly string[];
  env: Record<string, string>;
  /** Everything it prints is appended here. */
  logFile: string;
  /** Called for every line it prints. */
  onLine?: ((line: string, from: OutputName) => void) | undefined;
  /** Kills it as soon as it is aborted. */
  hurry?: AbortSignal | undefined;
}

/** How long a child may take to end after SIGTERM, in ms; then it is killed. */
const stopTimeoutMs = 30_000;
const keptLines = 10;

/**
 * A child process in a group of its own, so that a Ctrl-C at the terminal reaches only us and the
 * children are stopped in their order.
 */
export class Child {
  readonly name: string;
  readonly startedAt: number;
  readonly #process: ChildProcess;
  readonly #exited: Promise<number>;
  readonly #recent: string[] = [];
  #exitCode: number | undefined;

  constructor({ name, command, env, logFile, onLine, hurry }: ChildOptions) {
    this.name = name;
    this.startedAt = systemClock.now();
    const [program = '', ...args] = command;
    const child = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(logFile, { flags: 'a' });
    const read = (from: OutputName) => (line: string) => {
      log.write(`${line}\n`);
      this.#recent.push(line);
      if (this.#recent.length > keptLines) this.#recent.shift();
      onLine?.(line, from);
    };
    readLines(child.stdout, read('stdout'));
    readLines(child.stderr, read('stderr'));
    this.#process = child;
    const kill = () => void child.kill('SIGKILL');
    if (hurry?.aborted) kill();
    hurry?.addEventListener('abort', kill);
    this.#exited = once(child, 'close').then(
      ([code]) => (this.#exitCode = typeof code === 'number' ? code : exitCodes.failed),
      () => (this.#exitCode = exitCodes.failed),
    );
    void this.#exited.then(() => {
      hurry?.removeEventListener('abort', kill);
      log.end();
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get running(): boolean {
    return this.#exitCode === undefined;
  }

  /** The last lines that it printed. */
  get recentLines(): readonly string[] {
    return this.#recent;
  }

  /** Resolves with the exit code when it has ended; 1 for a signal. */
  async exited(): Promise<number> {
    return await this.#exited;
  }

  /** What to throw when it ended and should not have: its code's meaning, and its last words. */
  failure(exitCode: number): AppError {
    const text = [`${this.name} ended with exit code ${exitCode}`, ...this.#recent].join('\n');
    return new AppError(codeOf(exitCode), text);
  }

  /** SIGKILL, as a crash would; waits for the end. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  /** SIGTERM and waits; SIGKILL when it takes too long. Returns the exit code. */
  async stop(): Promise<number> {
    if (!this.running) return await this.#exited;
    this.#process.kill('SIGTERM');
    try {
      const what = `stop ${this.name}`;
      return await withDeadline(
        { clock: systemClock, timeoutMs: stopTimeoutMs, what },
        () => this.#exited,
      );
    } catch {
      await this.kill();
      return exitCodes.failed;
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }
}

/** Waits for the first line that `read` understands; rejects when the child ends before. */
export function firstLine<T>(read: (line: string) => T | undefined): {
  onLine: (line: string) => void;
  foundIn: (child: Child) => Promise<T>;
} {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  promise.catch(() => undefined);
  return {
    onLine: (line) => {
      const value = read(line);
      if (value !== undefined) resolve(value);
    },
    foundIn: (child) => {
      void child.exited().then((exitCode) => reject(child.failure(exitCode)));
      return promise;
    },
  };
}

function codeOf(exitCode: number): ErrorCode {
  if (exitCode === exitCodes.config) return 'config';
  return exitCode === exitCodes.unavailable ? 'nats' : 'unexpected';
}

function readLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream) createInterface({ input: stream }).on('line', onLine);
}
