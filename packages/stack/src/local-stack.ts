import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SimControl } from '@baton/github-sim';
import { AppError } from '@baton/shared/errors';
import { stringify } from 'yaml';
import { z } from 'zod';
import { Child, firstLine } from './child-process.ts';
import { findNatsServer, type NatsServer, startNatsServer } from './nats-server.ts';
import { type ServiceName, ServiceProcess } from './service-process.ts';

/** Where the GitHub side is: our simulator, or the real one. */
export type GitHubSide =
  | { kind: 'simulator'; args: readonly string[] }
  | { kind: 'real'; configUrl: string; token: string; runnerCommand: readonly string[] };

export interface StackOptions {
  env: Readonly<Record<string, string | undefined>>;
  services: Readonly<Record<ServiceName, number>>;
  github: GitHubSide;
  maxInstances: number;
  leaseTtlMs: number;
  /** More variables for the services. */
  serviceEnv?: Record<string, string>;
  /** Told what is being done, line by line. */
  say: (text: string) => void;
}

export interface ScaleSetEntry {
  name: string;
  maxRunners: number;
  minRunners?: number;
  enabled?: boolean;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const installationId = 'local';
const simToken = 'sim-token';
const readyTimeoutMs = 30_000;

/** Real nats-server, GitHub side and services as separate processes on this host. */
export class LocalStack implements AsyncDisposable {
  readonly dir: string;
  readonly configUrl: string;
  readonly sim: SimControl | undefined;
  readonly services: readonly ServiceProcess[];
  readonly #options: StackOptions;
  readonly #simProcess: Child | undefined;
  readonly #passwords: Record<string, string>;
  readonly #natsBin: string;
  #nats: NatsServer;

  private constructor(parts: {
    dir: string;
    options: StackOptions;
    natsBin: string;
    nats: NatsServer;
    passwords: Record<string, string>;
    sim: { child: Child; url: string } | undefined;
    configUrl: string;
    services: readonly ServiceProcess[];
  }) {
    this.dir = parts.dir;
    this.configUrl = parts.configUrl;
    this.sim = parts.sim && new SimControl(parts.sim.url);
    this.services = parts.services;
    this.#simProcess = parts.sim?.child;
    this.#options = parts.options;
    this.#natsBin = parts.natsBin;
    this.#nats = parts.nats;
    this.#passwords = parts.passwords;
  }

  /** Starts everything and resolves when every service is ready. On failure nothing is left. */
  static async start(options: StackOptions): Promise<LocalStack> {
    const { say, env, github } = options;
    const natsBin = await findNatsServer(env);
    const dir = await mkdtemp(join(tmpdir(), 'baton-'));
    await using undo = new AsyncDisposableStack();
    undo.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
    await mkdir(join(dir, 'logs'));
    const passwords = natsPasswords();
    const nats = await startNats(natsBin, dir, passwords);
    undo.defer(() => nats.stop());
    say(`nats-server ${nats.version} at ${nats.url}`);

    const sim = github.kind === 'simulator' ? await startSim(dir, github.args, env) : undefined;
    if (sim) {
      undo.defer(async () => void (await sim.child.stop()));
      say(`GitHub simulator at ${sim.url}`);
    }
    const configUrl = github.kind === 'real' ? github.configUrl : `${sim?.url ?? ''}/acme`;
    await writeServiceFiles(dir, options, configUrl);
    const parts = { dir, options, natsBin, nats, passwords, sim, configUrl };
    await runBaton(parts, ['topology', 'apply']);
    const services = startServices(parts);
    undo.defer(async () => void (await Promise.all(services.map((service) => service.stop()))));
    const deadline = AbortSignal.timeout(readyTimeoutMs);
    await Promise.all(services.map((service) => service.ready(deadline)));
    say(services.map(({ instance }) => instance).join(', '));
    undo.move();
    return new LocalStack({ ...parts, services });
  }

  get natsUrl(): string {
    return this.#nats.url;
  }

  get natsPid(): number {
    return this.#nats.pid;
  }

  /** Whatever is started next talks to the stack with these variables. */
  variablesOf(user: ServiceName | 'cli'): Record<string, string> {
    return serviceVariables(this.#parts(), user);
  }

  /** Runs the `baton` command against the stack; rejects when it fails. Returns its stdout. */
  async baton(...args: string[]): Promise<string> {
    return await runBaton(this.#parts(), args);
  }

  /** Applies these scale sets, and no others, all in the stack's one scope. */
  async applyScaleSets(entries: readonly ScaleSetEntry[]): Promise<void> {
    const scaleSets = entries.map((entry) => ({
      ...entry,
      configUrl: this.configUrl,
      credential: 'github',
      provider: 'processes',
    }));
    const file = join(this.dir, 'scalesets.yaml');
    await writeFile(file, stringify({ scaleSets }));
    await this.baton('apply', '-f', file);
  }

  service(instance: string): ServiceProcess {
    const found = this.services.find((service) => service.instance === instance);
    if (!found) throw new AppError('unexpected', `the stack has no ${instance}`);
    return found;
  }

  async killNats(): Promise<void> {
    await this.#nats.kill();
  }

  /** Starts nats-server again on its port and its store. */
  async restartNats(): Promise<void> {
    const port = Number(new URL(this.#nats.url).port);
    this.#nats = await startNats(this.#natsBin, this.dir, this.#passwords, port);
  }

  /** Drains the services, then stops the rest; nothing is left, neither process nor file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.services.map((service) => service.stop()));
    await this.#simProcess?.stop();
    await this.#nats.stop();
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  #parts() {
    const { dir } = this;
    return { dir, options: this.#options, nats: this.#nats, passwords: this.#passwords };
  }
}

interface Parts {
  dir: string;
  options: StackOptions;
  nats: NatsServer;
  passwords: Record<string, string>;
}

function natsPasswords(): Record<string, string> {
  const users = ['LISTENER', 'PROVISIONER', 'JANITOR', 'CLI'];
  // A letter first: nats-server reads a value that looks like a number as one.
  return Object.fromEntries(
    users.map((user) => [`BATON_NATS_${user}_PASSWORD`, `p${randomBytes(16).toString('hex')}`]),
  );
}

async function startNats(
  bin: string,
  dir: string,
  passwords: Record<string, string>,
  port = -1,
): Promise<NatsServer> {
  return await startNatsServer({
    bin,
    port,
    storeDir: join(dir, 'nats'),
    configFile: join(root, 'infra/nats/nats.conf'),
    env: passwords,
    logFile: join(dir, 'logs', 'nats.log'),
    detached: true,
  });
}

const simReadySchema = z.looseObject({ event: z.literal('ready'), url: z.string() });

async function startSim(dir: string, args: readonly string[], env: StackOptions['env']) {
  const main = join(root, 'packages/github-sim/src/main.ts');
  const ready = firstLine('simulator', (line) => {
    return line.startsWith('{') ? simReadySchema.safeParse(JSON.parse(line)).data?.url : undefined;
  });
  const child = new Child({
    name: 'simulator',
    command: [process.execPath, main, 'serve', '--port', '0', '--token', simToken, ...args],
    env: baseEnv(env),
    logFile: join(dir, 'logs', 'simulator.log'),
    onLine: ready.onLine,
  });
  void child.exited().then(ready.ended);
  return { child, url: await ready.found };
}

/** The files that the services' configuration names: credentials and providers. */
async function writeServiceFiles(dir: string, options: StackOptions, configUrl: string) {
  const { github, maxInstances, env } = options;
  const real = github.kind === 'real';
  const credential = {
    type: 'pat',
    hosts: [new URL(configUrl).host],
    token: real ? github.token : simToken,
  };
  const provider = {
    type: 'process',
    directory: join(dir, 'instances'),
    command: real ? github.runnerCommand : [join(root, 'packages/github-sim/bin/run.sh')],
    maxInstances,
    env: { BATON_NODE: process.execPath, ...pick(env, ['NODE_COMPILE_CACHE']) },
  };
  const credentials = stringify({ credentials: { github: credential } });
  await writeFile(join(dir, 'credentials.yaml'), credentials, { mode: 0o600 });
  await writeFile(join(dir, 'providers.yaml'), stringify({ providers: { processes: provider } }));
}

function startServices(parts: Parts): ServiceProcess[] {
  const names = ['listener', 'provisioner', 'janitor'] as const;
  return names.flatMap((service) =>
    Array.from({ length: parts.options.services[service] }, (_, index) => {
      const instance = `${service}-${index}`;
      const logFile = join(parts.dir, 'logs', `${instance}.log`);
      return new ServiceProcess({
        service,
        instance,
        logFile,
        env: serviceVariables(parts, service),
      });
    }),
  );
}

function serviceVariables(parts: Parts, user: ServiceName | 'cli'): Record<string, string> {
  const { dir, options, nats, passwords } = parts;
  return {
    ...baseEnv(options.env),
    BATON_NATS_URL: nats.url,
    BATON_NATS_USER: user,
    BATON_NATS_PASSWORD: passwords[`BATON_NATS_${user.toUpperCase()}_PASSWORD`] ?? '',
    BATON_INSTALLATION_ID: installationId,
    BATON_CREDENTIALS_FILE: join(dir, 'credentials.yaml'),
    BATON_PROVIDERS_FILE: join(dir, 'providers.yaml'),
    BATON_LEASE_TTL_MS: String(options.leaseTtlMs),
    BATON_HEALTH_HOST: '127.0.0.1',
    BATON_HEALTH_PORT: '0',
    ...options.serviceEnv,
  };
}

async function runBaton(parts: Parts, args: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const child = new Child({
    name: `baton ${args.join(' ')}`,
    command: [process.execPath, join(root, 'packages/cli/src/main.ts'), ...args],
    env: serviceVariables(parts, 'cli'),
    logFile: join(parts.dir, 'logs', 'baton.log'),
    onLine: (line) => lines.push(line),
  });
  const code = await child.exited();
  if (code === 0) return lines.join('\n');
  throw new AppError('unexpected', `${child.name} ended with code ${code}:\n${lines.join('\n')}`);
}

function baseEnv(env: StackOptions['env']): Record<string, string> {
  return pick(env, ['PATH', 'HOME', 'TMPDIR', 'LANG', 'NODE_COMPILE_CACHE', 'BATON_LOG_LEVEL']);
}

function pick(env: StackOptions['env'], names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = env[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}
