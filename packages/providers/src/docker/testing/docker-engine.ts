import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Agent, request } from 'undici';
import { vi } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../testing/eventually.ts';
import { connectEngine } from '../engine-agent.ts';
import { EngineClient } from '../engine-client.ts';
import { importImage } from '../local-image.ts';

const run = promisify(execFile);
const neverAborted = new AbortController().signal;
const startTimeoutMs = 60_000;
const stopTimeoutMs = 20_000;

export interface EngineOptions {
  /** More arguments of dockerd. */
  flags?: string[];
  /** How much room there is for images and containers; default: that of the disk. */
  diskMiB?: number;
}

/** A real Docker engine of a test's own, without a bridge: containers have no network or the host's. */
export class DockerEngine implements AsyncDisposable {
  readonly dir: string;
  readonly socket: string;
  readonly client: EngineClient;
  readonly #flags: readonly string[];
  #daemon: ChildProcess | undefined;

  private constructor(dir: string, flags: readonly string[]) {
    this.dir = dir;
    this.socket = join(dir, 'docker.sock');
    this.client = new EngineClient(connectEngine({ socket: this.socket }));
    this.#flags = flags;
  }

  /** Rejects with one sentence where no engine can be started. */
  static async start({ flags = [], diskMiB }: EngineOptions = {}): Promise<DockerEngine> {
    if (process.getuid?.() !== 0)
      throw new Error('these tests start a Docker engine, which only root may do');
    const engine = new DockerEngine(await mkdtemp(join(tmpdir(), 'baton-engine-')), flags);
    try {
      if (diskMiB !== undefined) await engine.#mountDisk(diskMiB);
      await engine.launch();
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.#daemon?.pid ?? 0;
  }

  /** Starts the daemon, again if it ran before, and waits until it answers. */
  async launch(): Promise<void> {
    const log = openSync(join(this.dir, 'dockerd.log'), 'a');
    const paths = { 'data-root': 'data', 'exec-root': 'exec', pidfile: 'pid' };
    const args = Object.entries(paths).map(([flag, name]) => `--${flag}=${join(this.dir, name)}`);
    const network = ['--bridge=none', '--iptables=false', '--ip6tables=false'];
    const daemon = spawn(
      'dockerd',
      [...args, `--host=unix://${this.socket}`, ...network, ...this.#flags],
      { stdio: ['ignore', log, log] },
    );
    this.#daemon = daemon;
    const failed = once(daemon, 'error').then(([error]) => {
      throw new Error('dockerd is missing: apt-get install docker.io', { cause: error });
    });
    const look = async () => {
      if (daemon.exitCode !== null) throw new Error(await this.#lastWords());
      await this.client.call({ method: 'GET', path: '/_ping' }, neverAborted);
    };
    const up = vi.waitFor(look, { timeout: startTimeoutMs, interval: 50 });
    await Promise.race([failed, up]);
  }

  /** Ends the daemon, and only the daemon: what becomes of containers is its own affair. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const daemon = this.#daemon;
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const exited = once(daemon, 'exit');
    daemon.kill(signal);
    const hurry = setTimeout(() => daemon.kill('SIGKILL'), stopTimeoutMs);
    await exited;
    clearTimeout(hurry);
    await this.#forgetContainerd();
  }

  /** Makes an image from a folder's content. */
  async importImage(image: string, folder: string): Promise<void> {
    await importImage(
      { engine: { socket: this.socket }, image },
      ['-C', folder, '.'],
      neverAborted,
    );
  }

  /** Ids of all containers, whoever made them. */
  async containers(): Promise<string[]> {
    const call = { method: 'GET', path: '/containers/json', query: { all: true } } as const;
    const { body } = await this.client.call(call, neverAborted);
    return z
      .array(z.object({ Id: z.string() }))
      .parse(body)
      .map(({ Id }) => Id);
  }

  /** What is known of a container, image or volume. */
  async inspect(path: string): Promise<unknown> {
    return (await this.client.call({ method: 'GET', path }, neverAborted)).body;
  }

  async post(path: string, body: unknown): Promise<unknown> {
    return (await this.client.call({ method: 'POST', path, body }, neverAborted)).body;
  }

  /** What a container printed. */
  async logs(container: string): Promise<string> {
    const url = `http://docker/containers/${container}/logs?stdout=1&stderr=1`;
    const dispatcher = new Agent({ connect: { socketPath: this.socket } });
    const { body } = await request(url, { dispatcher });
    const bytes = Buffer.from(await body.arrayBuffer());
    await dispatcher.close();
    // Each piece has a head of 8 bytes, whose second half is its length.
    let text = '';
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUInt32BE(at + 4);
      text += bytes.toString('utf8', at + 8, at + 8 + length);
      at += 8 + length;
    }
    return text;
  }

  /** Resolves when no process of the container runs any more, as the kernel sees it. */
  async ended(containerId: string): Promise<void> {
    await eventually(async () => {
      for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
        const cgroups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
        if (cgroups.includes(containerId)) throw new Error(`${pid} runs`);
      }
    });
  }

  /** The names by digest that an image has. */
  async digests(image: string): Promise<string[]> {
    const found = await this.inspect(`/images/${image}/json`);
    return z.object({ RepoDigests: z.array(z.string()) }).parse(found).RepoDigests;
  }

  /** Takes away all names of images that begin so, and the images with their last one. */
  async removeImages(prefix: string): Promise<void> {
    const found = await this.inspect('/images/json');
    const names = z.array(
      z.object({
        RepoTags: z.array(z.string()).nullish(),
        RepoDigests: z.array(z.string()).nullish(),
      }),
    );
    for (const { RepoTags, RepoDigests } of names.parse(found)) {
      for (const name of [...(RepoTags ?? []), ...(RepoDigests ?? [])]) {
        if (!name.startsWith(prefix)) continue;
        const path = `/images/${name}`;
        await this.client.call(
          { method: 'DELETE', path, query: { force: true }, expect: [404] },
          neverAborted,
        );
      }
    }
  }

  /** How often this happened to a container since the daemon runs: `create`, `start`, `die`. */
  async events(action: string): Promise<number> {
    const filters = JSON.stringify({ type: ['container'], event: [action] });
    const query = { since: 0, until: Math.ceil(Date.now() / 1_000), filters };
    let count = 0;
    const call = { method: 'GET', path: '/events', query } as const;
    for await (const _ of this.client.stream(call, neverAborted)) count += 1;
    return count;
  }

  /** Takes all containers away, whoever made them. */
  async removeContainers(): Promise<void> {
    for (const id of await this.containers()) {
      const query = { force: true, v: true };
      const path = `/containers/${id}`;
      const call = { method: 'DELETE', path, query, expect: [404, 409] } as const;
      await this.client.call(call, neverAborted);
    }
  }

  /** Nothing is left, whether the daemon runs or not. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.removeContainers().catch(() => undefined);
    await this.end('SIGTERM');
    await this.#killLeftovers();
    const mounts = await readFile('/proc/self/mountinfo', 'utf8');
    const points = mounts.split('\n').map((line) => line.split(' ')[4] ?? '');
    for (const point of points.filter((path) => path.startsWith(`${this.dir}/`)).toReversed()) {
      await run('umount', ['--lazy', point]);
    }
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The daemon's containerd dies with it; one that init has not buried yet would be taken for alive. */
  async #forgetContainerd(): Promise<void> {
    const file = join(this.dir, 'exec/containerd/containerd.pid');
    const pid = await readFile(file, 'utf8').catch(() => undefined);
    if (pid === undefined) return;
    await eventually(async () => {
      const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') X');
      if (!/\) [XZ]/.test(status)) throw new Error('containerd runs');
    });
    await rm(file, { force: true });
  }

  /** Keepers of containers that a daemon left behind, told by the folder that they were given. */
  async #killLeftovers(): Promise<void> {
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (line.includes(`${this.dir}/exec/`)) process.kill(Number(pid), 'SIGKILL');
    }
  }

  async #mountDisk(mebibytes: number): Promise<void> {
    const folder = join(this.dir, 'data');
    await mkdir(folder);
    await run('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder]);
  }

  async #lastWords(): Promise<string> {
    const log = await readFile(join(this.dir, 'dockerd.log'), 'utf8');
    return `dockerd ended:\n${log.split('\n').slice(-10).join('\n')}`;
  }
}
