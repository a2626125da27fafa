import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SimControl } from '@baton/github-sim';
import type { Instance } from '@baton/providers';
import { scaleSetIdOf } from '@baton/shared/contracts';
import { AppError } from '@baton/shared/errors';
import { stringify } from 'yaml';
import { listInstances } from './instances.ts';
import { findNatsServer } from './nats-server.ts';
import type { ServiceName, ServiceProcess } from './service-process.ts';
import type { ScaleSetEntry, StackOptions } from './stack-options.ts';
import { type Parts, runBaton, startParts, startServices, variablesOf } from './stack-parts.ts';

const readyTimeoutMs = 30_000;

/** Real nats-server, GitHub side and services as separate processes on this host. */
export class LocalStack implements AsyncDisposable {
  readonly dir: string;
  readonly configUrl: string;
  readonly sim: SimControl | undefined;
  readonly services: readonly ServiceProcess[];
  readonly #parts: Parts;
  readonly #cleanup: AsyncDisposableStack;

  private constructor(
    parts: Parts,
    services: readonly ServiceProcess[],
    cleanup: AsyncDisposableStack,
  ) {
    this.dir = parts.dir;
    this.configUrl = parts.configUrl;
    this.sim = parts.sim && new SimControl(parts.sim.url);
    this.services = services;
    this.#parts = parts;
    this.#cleanup = cleanup;
  }

  /** Starts everything and resolves when every service is ready. On failure nothing is left. */
  static async start(options: StackOptions): Promise<LocalStack> {
    const { say, signal } = options;
    const bin = await findNatsServer(options.env);
    signal?.throwIfAborted();
    await using cleanup = new AsyncDisposableStack();
    const parts = await startParts(bin, options, cleanup);
    await runBaton(parts, ['topology', 'apply']);
    signal?.throwIfAborted();
    const services = await startServices(parts);
    cleanup.defer(async () => void (await Promise.all(services.map((service) => service.stop()))));
    const deadline = AbortSignal.timeout(readyTimeoutMs);
    const patience = signal ? AbortSignal.any([signal, deadline]) : deadline;
    await Promise.all(services.map((service) => service.ready(patience)));
    say(services.map(({ instance }) => instance).join(', '));
    return new LocalStack(parts, services, cleanup.move());
  }

  get natsUrl(): string {
    return this.#parts.nats.url;
  }

  get natsPid(): number {
    return this.#parts.nats.pid;
  }

  /** 0 without a simulator. */
  get simulatorPid(): number {
    return this.#parts.sim?.child.pid ?? 0;
  }

  /** Whatever is started next talks to the stack with these variables. */
  variablesOf(user: ServiceName | 'cli'): Record<string, string> {
    return variablesOf(this.#parts, user);
  }

  /** Runs the `baton` command against the stack; rejects when it fails. Returns its stdout. */
  async baton(...args: string[]): Promise<string> {
    return await runBaton(this.#parts, args);
  }

  /** As `baton`, and tells what the command says on stderr meanwhile. `hurry` kills it. */
  async batonAloud(args: readonly string[], hurry: AbortSignal): Promise<string> {
    const { say } = this.#parts.options;
    return await runBaton(this.#parts, args, { say, hurry });
  }

  /** Applies these scale sets, and no others, all in the stack's one scope. */
  async applyScaleSets(entries: readonly ScaleSetEntry[]): Promise<void> {
    const scaleSets = entries.map((entry) => ({
      ...entry,
      configUrl: this.configUrl,
      credential: 'github',
      provider: 'local',
    }));
    for (const { name } of entries) this.#parts.scaleSetIds.add(scaleSetIdOf(name));
    const file = join(this.dir, 'scalesets.yaml');
    await writeFile(file, stringify({ scaleSets }));
    await this.baton('apply', '-f', file);
  }

  service(instance: string): ServiceProcess {
    const found = this.services.find((service) => service.instance === instance);
    if (!found) throw new AppError('unexpected', `the stack has no ${instance}`);
    return found;
  }

  /** The provider's own books. */
  async instances(): Promise<Instance[]> {
    return await listInstances(this.#parts);
  }

  async killNats(): Promise<void> {
    await this.#parts.nats.kill();
  }

  /** Starts nats-server again on its port and its store. */
  async restartNats(): Promise<void> {
    await this.#parts.nats.restart();
  }

  /** Copies the store of the running nats-server to a new folder, all of it as of one instant. */
  async copyNatsStore(folder: string): Promise<void> {
    await this.#parts.nats.copyStore(folder);
  }

  /** Kills nats-server and starts it on the store in this folder; without one on an empty store. */
  async replaceNatsStore(folder?: string): Promise<void> {
    await this.#parts.nats.replaceStore(folder);
  }

  /** Resolves when the nats-server of now has ended, for whatever reason. */
  async natsExited(): Promise<void> {
    await this.#parts.nats.exited();
  }

  /** Resolves with what to throw when the simulator has ended; never without a simulator. */
  async simulatorEnded(): Promise<AppError> {
    const child = this.#parts.sim?.child;
    if (!child) return await new Promise(() => undefined);
    return child.failure(await child.exited());
  }

  /** SIGTERM to all services; resolves when they have ended, with those that ended badly. */
  async drain(): Promise<string[]> {
    const alive = this.services.filter(({ running }) => running);
    const ends = await Promise.all(
      alive.map(async (service) => ({ name: service.instance, exitCode: await service.stop() })),
    );
    return ends.filter(({ exitCode }) => exitCode !== 0).map(({ name }) => name);
  }

  /** Drains the services, then stops the rest; nothing is left, neither process nor file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}
