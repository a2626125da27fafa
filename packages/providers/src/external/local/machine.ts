import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { hasErrno } from '../../process/errno.ts';

const script = fileURLToPath(new URL('./run-instance.sh', import.meta.url));
const lookEveryMs = 10;
const patienceMs = 5_000;

export interface MachineState {
  status: 'running' | 'stopped' | 'error';
  fault?: string;
}

/** One instance: a folder, and the group of processes that works in it. */
export class Machine {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  get name(): string {
    return basename(this.folder);
  }

  /** A folder that nothing was ever started in is left by a create that was killed. */
  get exists(): boolean {
    return existsSync(join(this.folder, 'launch'));
  }

  /** Starts it, unless another create did; when this resolves it cannot be cut short any more. */
  async start(userData: string, env: Record<string, string>): Promise<void> {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const fresh = join(this.folder, `user-data.${process.pid}`);
    writeFileSync(fresh, userData, { mode: 0o600 });
    renameSync(fresh, join(this.folder, 'user-data.sh'));
    const child = spawn('/bin/sh', [script], {
      cwd: this.folder,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: this.folder, ...env },
      detached: true,
      stdio: 'ignore',
    });
    child.unref();
    await until(() => this.#read('pid') !== undefined);
  }

  get state(): MachineState {
    const alive = this.#leads();
    const exit = this.#read('exit');
    if (exit === '0') return { status: 'stopped' };
    if (exit !== undefined) return { status: 'error', fault: `the runner ended with code ${exit}` };
    if (alive || this.#read('pid') === undefined) return { status: 'running' };
    return { status: 'error', fault: 'the machine was switched off' };
  }

  /** Every step may be repeated. Whether there was anything. */
  async remove(): Promise<boolean> {
    if (!this.#takeStart()) await until(() => this.#read('pid') !== undefined);
    if (this.#leads()) killGroup(Number(this.#read('pid')));
    await until(() => !this.#leads());
    const trash = join(dirname(this.folder), `.deleted-${this.name}-${process.pid}`);
    try {
      renameSync(this.folder, trash);
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return false;
      throw error;
    }
    rmSync(trash, { recursive: true, force: true, maxRetries: 5 });
    return true;
  }

  /** Takes the place of the start, if nothing started yet; false when something did. */
  #takeStart(): boolean {
    try {
      mkdirSync(join(this.folder, 'launch'));
      writeFileSync(join(this.folder, 'pid'), 'none');
      return true;
    } catch (error) {
      if (hasErrno(error, 'EEXIST')) return false;
      if (hasErrno(error, 'ENOENT')) return true;
      throw error;
    }
  }

  /** Whether the process that leads the group is there, and is the one of this folder. */
  #leads(): boolean {
    const pid = this.#read('pid');
    if (pid === undefined) return false;
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === this.folder;
    } catch {
      return false;
    }
  }

  #read(file: string): string | undefined {
    try {
      return readFileSync(join(this.folder, file), 'utf8').trim();
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }
}

/** Gives up silently: what is looked at next decides. */
async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!holds() && performance.now() < end) await delay(lookEveryMs);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error;
  }
}
