import { fileURLToPath } from 'node:url';
import { AppError } from '@baton/shared/errors';
import { systemClock } from '@baton/shared/time';
import { z } from 'zod';
import { Child, firstLine } from './child-process.ts';

export type ServiceName = 'listener' | 'provisioner' | 'janitor';

interface ServiceOptions {
  service: ServiceName;
  instance: string;
  /** The program, where it is not the service's own. */
  main?: string | undefined;
  env: Record<string, string>;
  logFile: string;
  /** Told each line that it logs. */
  onLog?: ((line: string) => void) | undefined;
  /** Kills it as soon as it is aborted. */
  hurry?: AbortSignal | undefined;
}

const startedSchema = z.looseObject({ msg: z.literal('service starting'), healthPort: z.int() });

/** One process of a service, which can be killed and started again under the same identity. */
export class ServiceProcess {
  readonly service: ServiceName;
  readonly instance: string;
  readonly #options: ServiceOptions;
  #child: Child;
  #healthPort: Promise<number>;
  #started = false;

  constructor(options: ServiceOptions) {
    this.service = options.service;
    this.instance = options.instance;
    this.#options = options;
    [this.#child, this.#healthPort] = launch(options);
    this.#watchStart();
  }

  get pid(): number {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.running;
  }

  /** Whether its process of now has said that it started. */
  get started(): boolean {
    return this.#started;
  }

  /** When its process was started, wall clock in ms. */
  get startedAt(): number {
    return this.#child.startedAt;
  }

  /** The port of `/readyz` and `/metrics` of its process of now; rejects when that ended before it said. */
  get healthPort(): Promise<number> {
    return this.#healthPort;
  }

  /** The last lines that its process printed. */
  get recentLines(): readonly string[] {
    return this.#child.recentLines;
  }

  async kill(): Promise<void> {
    await this.#child.kill();
  }

  async stop(): Promise<number> {
    return await this.#child.stop();
  }

  async exited(): Promise<number> {
    return await this.#child.exited();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.signal(name);
  }

  /**
   * Starts it again, under the same identity.
   * @throws AppError `unexpected` while its process runs: there would be two.
   */
  restart(): void {
    if (this.running) throw new AppError('unexpected', `${this.instance} still runs`);
    [this.#child, this.#healthPort] = launch(this.#options);
    this.#watchStart();
  }

  #watchStart(): void {
    const child = this.#child;
    this.#started = false;
    const onStart = () => {
      if (child === this.#child) this.#started = true;
    };
    void this.#healthPort.then(onStart, () => undefined);
  }

  /** Resolves when `/readyz` says that it does its work; rejects when the process ends before. */
  async ready(signal: AbortSignal): Promise<void> {
    const child = this.#child;
    const port = await this.#healthPort;
    while (!(await isReady(port))) {
      if (!child.running) throw child.failure(await child.exited());
      await systemClock.sleep(50, signal);
    }
  }
}

/** As each service is to be run everywhere; see docs/adr/0005-memory-of-a-listener.md. */
const nodeOptions: Record<ServiceName, readonly string[]> = {
  listener: ['--enable-source-maps', '--max-semi-space-size=8', '--heap-growing-percent=30'],
  provisioner: ['--enable-source-maps', '--max-semi-space-size=16', '--heap-growing-percent=60'],
  janitor: ['--enable-source-maps', '--max-semi-space-size=8', '--heap-growing-percent=30'],
};

function launch({
  service,
  instance,
  main = mainOf(service),
  env,
  logFile,
  onLog,
  hurry,
}: ServiceOptions): [Child, Promise<number>] {
  const started = firstLine((line) => startedSchema.safeParse(parseLine(line)).data?.healthPort);
  const child = new Child({
    name: instance,
    command: [process.execPath, ...nodeOptions[service], main],
    env: { ...env, BATON_INSTANCE: instance },
    logFile,
    onLine: (line) => {
      started.onLine(line);
      onLog?.(line);
    },
    hurry,
  });
  return [child, started.foundIn(child)];
}

function mainOf(service: ServiceName): string {
  return fileURLToPath(import.meta.resolve(`../../../services/${service}/src/main.ts`));
}

async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function parseLine(line: string): unknown {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
