import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProviderDefinition } from '@baton/providers';
import { Child } from './child-process.ts';
import { deleteInstances } from './instances.ts';
import { NatsHost } from './nats-host.ts';
import { prepareProvider } from './providers/prepare-provider.ts';
import { removeStackFolder } from './remove-stack-folder.ts';
import { type ServiceName, ServiceProcess } from './service-process.ts';
import {
  natsPasswords,
  root,
  stackVariables,
  writeOwnCredentials,
  writeServiceFiles,
} from './stack-files.ts';
import type { GitHubSide, StackOptions } from './stack-options.ts';
import { type SimulatorProcess, startSimulatorProcess } from './start-simulator-process.ts';

/** What a stack is made of, besides the services. */
export interface Parts {
  dir: string;
  options: StackOptions;
  nats: NatsHost;
  passwords: Record<string, string>;
  configUrl: string;
  installationId: string;
  provider: ProviderDefinition;
  sim: SimulatorProcess | undefined;
  /** More variables for single processes, by their names. */
  envOfProcess: ReadonlyMap<string, Record<string, string>>;
  /** The scale sets that were applied: some providers list them one by one. */
  scaleSetIds: Set<string>;
}

/** Everything that the services need. What was started is registered with `cleanup` at once. */
export async function startParts(
  bin: string,
  options: StackOptions,
  cleanup: AsyncDisposableStack,
): Promise<Parts> {
  const { say, github, signal, hurry, keepLogsIn } = options;
  const dir = await mkdtemp(join(tmpdir(), 'baton-'));
  cleanup.defer(() => removeStackFolder(dir, keepLogsIn));
  await mkdir(join(dir, 'logs'));
  const installationId = installationIdOf(dir, options);
  const envOfProcess = new Map<string, Record<string, string>>();
  const preparation = { dir, options, installationId, cleanup, envOfProcess };
  const provider = await prepareProvider(preparation);
  signal?.throwIfAborted();
  const passwords = natsPasswords();
  const nats = await NatsHost.start({ bin, dir, passwords, signal, hurry });
  cleanup.defer(() => nats.stop());
  say(`nats-server ${nats.version} at ${nats.url}`);

  const simulated = github.kind === 'simulator';
  const sim = simulated ? await startSimulatorProcess(dir, github.args, options) : undefined;
  if (sim) {
    cleanup.defer(async () => void (await sim.child.stop()));
    say(`GitHub simulator at ${sim.url}`);
  }
  const configUrl = configUrlOf(github, sim);
  const scaleSetIds = new Set<string>();
  cleanup.defer(() => deleteInstances({ installationId, provider, scaleSetIds }, hurry));
  await writeServiceFiles(dir, options, { configUrl, provider });
  const started = { dir, options, nats, passwords, configUrl, installationId, provider, sim };
  return { ...started, envOfProcess, scaleSetIds };
}

/** Where stacks share what runs their instances, each must know its own. */
function installationIdOf(dir: string, options: StackOptions): string {
  const { provider = 'process', installationId } = options;
  if (installationId !== undefined) return installationId;
  return provider === 'process' ? 'local' : `local${dir.slice(-6).toLowerCase()}`;
}

function configUrlOf(github: GitHubSide, sim: SimulatorProcess | undefined): string {
  if (github.kind === 'real') return github.configUrl;
  return github.kind === 'beside' ? github.stack.configUrl : `${sim?.url ?? ''}/acme`;
}

/** Starts all services; none of them is ready yet. */
export async function startServices(parts: Parts): Promise<ServiceProcess[]> {
  const { dir, options, configUrl } = parts;
  const { hurry, onLog, ownTokens = false, programs } = options;
  const names = ['listener', 'provisioner', 'janitor'] as const;
  const planned = names.flatMap((service) =>
    Array.from({ length: options.services[service] }, (_, index) => {
      const instance = `${service}-${index}`;
      const env = { ...variablesOf(parts, service), ...parts.envOfProcess.get(instance) };
      return { service, instance, env };
    }),
  );
  if (ownTokens) {
    for (const { instance, env } of planned) {
      Object.assign(env, await writeOwnCredentials(dir, configUrl, instance));
    }
  }
  return planned.map(({ instance, ...rest }) => {
    const logFile = join(dir, 'logs', `${instance}.log`);
    return new ServiceProcess({
      ...rest,
      instance,
      main: programs?.[rest.service],
      logFile,
      onLog,
      hurry,
    });
  });
}

/** What a process needs to talk to the stack as this user. */
export function variablesOf(
  { dir, options, installationId, nats, passwords }: Parts,
  user: ServiceName | 'cli',
): Record<string, string> {
  return stackVariables({ dir, options, installationId, natsUrl: nats.url, passwords }, user);
}

/** Runs the `baton` command; returns its stdout, and tells `say` its stderr. Rejects when it fails. */
export async function runBaton(
  parts: Parts,
  args: readonly string[],
  { say, hurry }: { say?: (text: string) => void; hurry?: AbortSignal } = {},
): Promise<string> {
  const lines: string[] = [];
  const hurries = [parts.options.hurry, hurry].filter((signal) => signal !== undefined);
  const child = new Child({
    name: `baton ${args.join(' ')}`,
    command: [process.execPath, join(root, 'packages/cli/src/main.ts'), ...args],
    env: variablesOf(parts, 'cli'),
    logFile: join(parts.dir, 'logs', 'baton.log'),
    hurry: AbortSignal.any(hurries),
    onLine: (line, from) => {
      if (from === 'stdout') lines.push(line);
      else say?.(line);
    },
  });
  const exitCode = await child.exited();
  if (exitCode !== 0) throw child.failure(exitCode);
  return lines.join('\n');
}
