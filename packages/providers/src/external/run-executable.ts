import { type ChildProcess, spawn } from 'node:child_process';
import { setImmediate } from 'node:timers/promises';
import { type Clock, notNeeded, withDeadline } from '@baton/shared/time';
import { hasErrno } from '../process/errno.ts';
import { ProviderError } from '../provider-error.ts';

export interface Execution {
  executable: string;
  env: Record<string, string>;
  /** Empty: its stdin is closed at once. */
  input: string;
  timeoutMs: number;
  /** How much it may write to stdout, and as much to stderr. */
  maxOutputBytes: number;
  clock: Clock;
}

/** What an executable said. `exitCode` is undefined when a signal ended it. */
export interface Ended {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

/** How long output that was written before the end may take to arrive, in ms. */
const lastOutputMs = 250;

/**
 * Runs a program without arguments, in `/`, as the leader of a process group. When it takes too long,
 * writes too much, or the signal is aborted, the whole group is killed and nobody is waited for: a
 * grandchild that keeps stdout open holds up nothing.
 */
export async function runExecutable(execution: Execution, signal: AbortSignal): Promise<Ended> {
  const { clock, timeoutMs, executable } = execution;
  const what = `the executable ${executable}`;
  return await withDeadline({ clock, timeoutMs, what, signal }, (within) =>
    new Run(execution, within).ended(),
  );
}

class Run {
  readonly #execution: Execution;
  readonly #over = new AbortController();
  readonly #child: ChildProcess;
  readonly #result = Promise.withResolvers<Ended>();
  readonly #output = { stdout: new Output(), stderr: new Output() };

  constructor(execution: Execution, signal: AbortSignal) {
    this.#execution = execution;
    const { executable, env } = execution;
    this.#child = spawn(executable, [], { cwd: '/', env, detached: true, stdio: 'pipe' });
    this.#follow('stdout');
    this.#follow('stderr');
    this.#child.once('error', (error) => this.#fail(error));
    this.#child.once('close', (code) => this.#succeed(code));
    this.#child.once('exit', (code) => void this.#endSoon(code));
    const stop = () => this.#fail(signal.reason);
    signal.addEventListener('abort', stop, { once: true, signal: this.#over.signal });
    // A program that does not read its input has closed it.
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdin?.end(execution.input);
  }

  async ended(): Promise<Ended> {
    return await this.#result.promise;
  }

  #follow(name: 'stdout' | 'stderr'): void {
    const { maxOutputBytes, executable } = this.#execution;
    const output = this.#output[name];
    this.#child[name]?.on('data', (chunk: Buffer) => {
      output.add(chunk);
      if (output.bytes <= maxOutputBytes) return;
      const text = `${executable} wrote more than ${maxOutputBytes} bytes to ${name} and was killed`;
      this.#fail(new ProviderError('transient', text));
    });
  }

  /**
   * Who still holds the pipes after the end, and says nothing more, is a grandchild, and not waited for. A
   * process that was held up itself reads what lies in the pipes before it decides.
   */
  async #endSoon(code: number | null): Promise<void> {
    const { clock } = this.#execution;
    const { stdout, stderr } = this.#output;
    let before: number;
    do {
      before = stdout.bytes + stderr.bytes;
      try {
        await clock.sleep(lastOutputMs, this.#over.signal);
      } catch {
        return;
      }
      await setImmediate();
    } while (stdout.bytes + stderr.bytes > before);
    this.#succeed(code);
  }

  #succeed(code: number | null): void {
    const { stdout, stderr } = this.#output;
    const exitCode = code ?? undefined;
    this.#result.resolve({ exitCode, stdout: stdout.text, stderr: stderr.text });
    this.#letGo();
  }

  #fail(error: unknown): void {
    this.#killGroup();
    this.#result.reject(error instanceof Error ? error : new Error('aborted'));
    this.#letGo();
  }

  /** Late output is nobody's; an open pipe would keep this process alive. */
  #letGo(): void {
    this.#over.abort(notNeeded);
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  #killGroup(): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch (error) {
      if (!hasErrno(error, 'ESRCH')) throw error;
    }
  }
}

class Output {
  readonly #chunks: Buffer[] = [];
  bytes = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.bytes += chunk.length;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}
