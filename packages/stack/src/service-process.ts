import { fileURLToPath } from 'node:url';
import { systemClock } from '@baton/shared/time';
import { z } from 'zod';
import { Child, firstLine } from './child-process.ts';

export type ServiceName = 'listener' | 'provisioner' | 'janitor';

interface ServiceOptions {
  service: ServiceName;
  instance: string;
  env: Record<string, string>;
  logFile: string;
}

const startedSchema = z.looseObject({ msg: z.literal('service started'), healthPort: z.int() });

/** One process of a service, which can be killed and started again under the same identity. */
export class ServiceProcess {
  readonly service: ServiceName;
  readonly instance: string;
  readonly #options: ServiceOptions;
  #child: Child;
  #healthPort: Promise<number>;

  constructor(options: ServiceOptions) {
    this.service = options.service;
    this.instance = options.instance;
    this.#options = options;
    [this.#child, this.#healthPort] = launch(options);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.running;
  }

  /** When its process was started, wall clock in ms. */
  get startedAt(): number {
    return this.#child.startedAt;
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

  /** Starts it again, under the same identity. */
  restart(): void {
    [this.#child, this.#healthPort] = launch(this.#options);
  }

  /** Resolves when `/readyz` says that it does its work. */
  async ready(signal: AbortSignal): Promise<void> {
    const port = await this.#healthPort;
    while (!(await isReady(port))) await systemClock.sleep(50, signal);
  }
}

function launch({ service, instance, env, logFile }: ServiceOptions): [Child, Promise<number>] {
  const main = fileURLToPath(import.meta.resolve(`../../../services/${service}/src/main.ts`));
  const started = firstLine(instance, (line) => {
    const parsed = startedSchema.safeParse(parseLine(line));
    return parsed.data?.healthPort;
  });
  const child = new Child({
    name: instance,
    command: [process.execPath, '--enable-source-maps', main],
    env: { ...env, BATON_INSTANCE: instance },
    logFile,
    onLine: started.onLine,
  });
  void child.exited().then(started.ended);
  return [child, started.found];
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
