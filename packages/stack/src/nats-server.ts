import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, open } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { AppError, ConfigError, errorText } from '@baton/shared/errors';
import { systemClock, withDeadline } from '@baton/shared/time';

/** Where packages put the program when it is not on the PATH. The launcher looks there too. */
const usualFolders = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];
const startTimeoutMs = 10_000;
const stopTimeoutMs = 10_000;
const keptLines = 20;

interface NatsServerOptions {
  bin: string;
  /** JetStream's files. A server started again on it has everything it had before. */
  storeDir: string;
  configFile?: string;
  /** Default: what `configFile` says; without one, any free port. */
  port?: number;
  /** The whole environment of the server; default: ours. */
  env?: Record<string, string>;
  /** What the server logs is appended here. */
  logFile?: string;
  /** Out of reach of a Ctrl-C at our terminal, for who stops several things in their order. */
  detached?: boolean;
  signal?: AbortSignal;
}

/** A running nats-server, owned by this process. */
export interface NatsServer {
  url: string;
  pid: number;
  version: string;
  /** Ends it in an orderly way and waits for its exit. Done if it is gone already. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** SIGKILL, as a crash would; waits for the exit. */
  kill(): Promise<void>;
  /** Resolves when it has ended, for whatever reason. */
  exited(): Promise<void>;
}

/** The nats-server program: `NATS_SERVER_BIN`, the PATH, the usual folders. */
export async function findNatsServer(env: Record<string, string | undefined>): Promise<string> {
  const configured = env.NATS_SERVER_BIN;
  if (configured) {
    if (await isExecutable(configured)) return configured;
    throw new ConfigError(`NATS_SERVER_BIN is ${configured}, which is not an executable file`);
  }
  const folders = [...(env.PATH ?? '').split(delimiter).filter(Boolean), ...usualFolders];
  for (const folder of folders) {
    const path = join(folder, 'nats-server');
    if (await isExecutable(path)) return path;
  }
  throw new ConfigError(
    'nats-server is not installed: run "sudo apt-get install nats-server" (macOS: "brew install ' +
      'nats-server"), or set NATS_SERVER_BIN to its path',
  );
}

/** Starts a server with JetStream and waits until it is ready. A failed start leaves nothing. */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const { bin, env, logFile, detached = false, signal } = options;
  signal?.throwIfAborted();
  const log = logFile ? await open(logFile, 'a') : undefined;
  const child = spawn(bin, serverArguments(options), {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached,
    ...(env ? { env } : {}),
  });
  // A full disk ends the log, not the server.
  if (log) child.stderr.pipe(log.createWriteStream().on('error', () => child.stderr.resume()));
  const gone = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  const recent: string[] = [];
  try {
    const { port, version } = await withDeadline(
      { clock: systemClock, timeoutMs: startTimeoutMs, what: 'start of nats-server', signal },
      () => untilReady(child, recent),
    );
    return {
      url: `nats://127.0.0.1:${port}`,
      pid: child.pid ?? 0,
      version,
      stop: (name = 'SIGTERM') => endChild(child, name),
      kill: () => endChild(child, 'SIGKILL'),
      exited: () => gone,
    };
  } catch (error) {
    await endChild(child, 'SIGKILL');
    signal?.throwIfAborted();
    throw new AppError('nats', [errorText(error), ...recent].join('\n'), { cause: error });
  }
}

function serverArguments({ storeDir, configFile, port }: NatsServerOptions): string[] {
  const address = ['-a', '127.0.0.1', '-p', String(port ?? -1)];
  return [
    '-js',
    '-sd',
    storeDir,
    ...(configFile ? ['-c', configFile] : []),
    ...(configFile && port === undefined ? [] : address),
  ];
}

/** Reads the log as long as the server lives; resolves at the line that says it is ready. */
function untilReady(
  child: ChildProcessByStdio<null, null, Readable>,
  recent: string[],
): Promise<{ port: string; version: string }> {
  return new Promise((resolve, reject) => {
    const found = { port: '', version: '' };
    createInterface({ input: child.stderr }).on('line', (line) => {
      recent.push(line);
      if (recent.length > keptLines) recent.shift();
      found.version = /\bVersion:\s+(\S+)/.exec(line)?.[1] ?? found.version;
      found.port = /Listening for client connections on .*:(\d+)$/.exec(line)?.[1] ?? found.port;
      if (line.includes('Server is ready')) resolve(found);
    });
    child.on('error', (error) => reject(new Error('nats-server cannot be run', { cause: error })));
    child.once('close', (code) => {
      reject(new Error(`nats-server ended with code ${String(code)} before it was ready`));
    });
  });
}

async function endChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  const stopWaiting = new AbortController();
  const killLater = systemClock.sleep(stopTimeoutMs, stopWaiting.signal).then(
    () => child.kill('SIGKILL'),
    () => false,
  );
  await exited;
  stopWaiting.abort();
  await killLater;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
