import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { AppError } from '@baton/shared/errors';
import { systemClock, withDeadline } from '@baton/shared/time';

interface ChildOptions {
  name: string;
  /** Program and arguments. */
  command: readonly string[];
  env: Record<string, string>;
  /** Everything it prints is appended here. */
  logFile: string;
  /** Called for every line it prints. */
  onLine?: (line: string) => void;
}

/** How long a child may take to end after SIGTERM, in ms; then it is killed. */
const stopTimeoutMs = 30_000;

/**
 * A child process in a group of its own, so that a Ctrl-C at the terminal reaches only us and the
 * children are stopped in their order.
 */
export class Child {
  readonly name: string;
  readonly startedAt: number;
  readonly #process: ChildProcess;
  readonly #exited: Promise<number>;
  #exitCode: number | undefined;

  constructor({ name, command, env, logFile, onLine }: ChildOptions) {
    this.name = name;
    this.startedAt = systemClock.now();
    const [program = '', ...args] = command;
    const child = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(logFile, { flags: 'a' });
    for (const stream of [child.stdout, child.stderr]) readLines(stream, log, onLine);
    this.#process = child;
    this.#exited = once(child, 'close').then(
      ([code]) => (this.#exitCode = typeof code === 'number' ? code : 1),
      () => (this.#exitCode = 1),
    );
    void this.#exited.then(() => log.end());
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get running(): boolean {
    return this.#exitCode === undefined;
  }

  /** Resolves with the exit code when it has ended; 1 for a signal. */
  async exited(): Promise<number> {
    return await this.#exited;
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
      return 1;
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }
}

/** The first line that `read` understands, or an error with the last lines when it ends before. */
export function firstLine<T>(
  name: string,
  read: (line: string) => T | undefined,
): { onLine: (line: string) => void; found: Promise<T>; ended: (code: number) => void } {
  const recent: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  promise.catch(() => undefined);
  return {
    found: promise,
    onLine: (line) => {
      recent.push(line);
      if (recent.length > 10) recent.shift();
      const value = read(line);
      if (value !== undefined) resolve(value);
    },
    ended: (code) =>
      reject(new AppError('unexpected', `${name} ended with code ${code}:\n${recent.join('\n')}`)),
  };
}

function readLines(
  stream: Readable | null,
  log: NodeJS.WritableStream,
  onLine: ((line: string) => void) | undefined,
): void {
  if (!stream) return;
  createInterface({ input: stream }).on('line', (line) => {
    log.write(`${line}\n`);
    onLine?.(line);
  });
}
