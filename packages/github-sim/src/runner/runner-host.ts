import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setInterval as every } from 'node:timers/promises';
import { readJitConfig } from './jit-config.ts';
import { playRunner } from './play-runner.ts';

const lookEveryMs = 50;

/**
 * Plays all runners whose processes are shells of `bin/run-hosted.sh`, over connections of their own, for as
 * long as these processes live. A Node process for each of two hundred takes 6 GB, and half a minute of two
 * cores to start.
 */
export class RunnerHost implements AsyncDisposable {
  readonly #folder: string;
  readonly #stop = new AbortController();
  /** By the shell's process id. */
  readonly #runners = new Map<number, AbortController>();
  readonly #looking: Promise<void>;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#looking = this.#look();
  }

  /** `folder` is made; shells are told of it in `SIM_RUNNER_HOST`. */
  static async start(folder: string): Promise<RunnerHost> {
    await mkdir(folder, { mode: 0o700 });
    return new RunnerHost(folder);
  }

  /** All runners fall silent, as if the host's power were cut. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const runner of this.#runners.values()) runner.abort();
    await this.#looking;
  }

  async #look(): Promise<void> {
    try {
      for await (const _ of every(lookEveryMs, undefined, { signal: this.#stop.signal })) {
        for (const [pid, runner] of this.#runners) if (!lives(pid)) runner.abort();
        for (const name of await readdir(this.#folder)) {
          if (!name.startsWith('.')) void this.#play(Number(name));
        }
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  async #play(pid: number): Promise<void> {
    if (this.#runners.has(pid)) return;
    const killed = new AbortController();
    this.#runners.set(pid, killed);
    const file = join(this.#folder, String(pid));
    const [words = '', config = ''] = (await readFile(file, 'utf8')).trim().split(' ');
    await rm(file);
    // Read and write: whoever opens a pipe for writing only would wait for a reader that may be dead.
    const tell = async (word: string) => await appendFile(words, `${word}\n`, { flag: 'r+' });
    const exitCode = await playRunner({
      identity: readJitConfig(config),
      say: () => undefined,
      onBusy: () => void tell('busy').catch(() => undefined),
      signal: killed.signal,
    }).catch(() => 1);
    this.#runners.delete(pid);
    await tell(String(exitCode)).catch(() => undefined);
  }
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
