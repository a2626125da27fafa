import { randomBytes } from 'node:crypto';
import type { TelemetryConfig } from '../config/index.ts';
import { AppError, errorText } from '../errors/index.ts';
import {
  beginTraces,
  createLogger,
  type Logger,
  LogLevels,
  type LogSetting,
  Metrics,
  metricPush,
  processMetrics,
} from '../telemetry/index.ts';
import { type Clock, systemClock } from '../time/index.ts';
import { exitCodes } from './exit-codes.ts';
import { Health } from './health.ts';
import { serveHealth } from './health-server.ts';

/** What every service's configuration has; see `serviceConfigShape`. */
export interface ServiceConfig extends TelemetryConfig {
  installationId: string;
  instance: string;
  logLevel: LogSetting;
  /** Undefined: where stderr is a terminal. */
  logPretty?: boolean | undefined;
  healthHost: string;
  healthPort: number;
  drainTimeoutMs: number;
}

/** What a service is given besides its configuration. */
export interface Runtime {
  log: Logger;
  logLevels: LogLevels;
  clock: Clock;
  health: Health;
  /**
   * To be called once, when the service has what it needs and does its work. What takes its time and
   * can wait, such as loading OpenTelemetry, waits for `start` too, for some seconds.
   */
  ready: (start?: Promise<unknown>) => void;
  /** Shown on `/metrics`; a service adds its own. */
  metrics: Metrics;
  /** The process environment, for adapters that hand parts of it on. */
  env: Readonly<Record<string, string | undefined>>;
  /** Tells this process apart from an earlier one under the same instance name. */
  incarnation: string;
  /** Aborted by the first SIGTERM or SIGINT: drain, and return. */
  signal: AbortSignal;
  /** Aborted when the drain budget is nearly used up: stop what is still in flight. */
  abort: AbortSignal;
}

interface MainOptions<C extends ServiceConfig> {
  service: string;
  loadConfig: (env: NodeJS.ProcessEnv) => C | Promise<C>;
  run: (config: C, runtime: Runtime) => Promise<void>;
}

/**
 * The life of a service process: read the configuration, serve health, run until SIGTERM or SIGINT,
 * drain within `drainTimeoutMs`, exit. A second signal ends it at once.
 */
export async function runMain<C extends ServiceConfig>(options: MainOptions<C>): Promise<void> {
  const { service, loadConfig, run } = options;
  let config: C;
  try {
    config = await loadConfig(process.env);
  } catch (error) {
    return exitWith(service, error);
  }
  const logLevels = new LogLevels(config.logLevel);
  const log = createLogger({
    service,
    instance: config.instance,
    levels: logLevels,
    pretty: config.logPretty ?? process.stderr.isTTY,
    onExit: (flush) => process.on('exit', flush),
  });
  const health = new Health();
  health.report('start', 'starting');
  const { signal, abort } = drainOnSignal(log, health, config.drainTimeoutMs);
  const metrics = new Metrics();
  metrics.add(...processMetrics());
  const common = { service, config, metrics, clock: systemClock };
  const telemetry = { ...common, log: log.child({ component: 'telemetry' }) };
  const traces = await beginTraces(telemetry);
  const push = metricPush(telemetry);
  const endTelemetry = async () => {
    const withinMs = config.drainTimeoutMs / 10;
    await Promise.all([traces?.end(withinMs), push?.end(withinMs)]);
  };
  let failure: { error: unknown } | undefined;
  try {
    await using server = await serveHealth(health, {
      host: config.healthHost,
      port: config.healthPort,
      metrics,
    });
    const incarnation = randomBytes(6).toString('hex');
    log.info({ incarnation, pid: process.pid, healthPort: server.port }, 'service starting');
    await run(config, {
      log,
      logLevels,
      clock: systemClock,
      health,
      ready: (start) => {
        health.report('start', undefined);
        log.info('service ready');
        traces?.ready(start);
        push?.ready();
      },
      metrics,
      env: process.env,
      incarnation,
      signal,
      abort,
    });
  } catch (error) {
    if (!signal.aborted || !isAbort(error, signal)) failure = { error };
  }
  await endTelemetry();
  if (failure) return exitWith(service, failure.error, log);
  log.info('service drained');
  process.exit(exitCodes.ok);
}

function drainOnSignal(log: Logger, health: Health, drainTimeoutMs: number) {
  const stop = new AbortController();
  const abort = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) {
      log.warn({ signal: name }, 'second signal, ending at once');
      process.exit(exitCodes.failed);
    }
    log.info({ signal: name, drainTimeoutMs }, 'draining');
    health.report('draining', `told to end by ${name}: what is under way is being finished`);
    stop.abort(new AppError('timeout', `stopped by ${name}`));
    setTimeout(
      () => abort.abort(new AppError('timeout', 'drain budget used up')),
      drainTimeoutMs * 0.8,
    );
    setTimeout(() => {
      log.error('drain took too long');
      process.exit(exitCodes.failed);
    }, drainTimeoutMs);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return { signal: stop.signal, abort: abort.signal };
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}

/** Ends the process with one clear message for what the operator can mend, a stack for a bug. */
function exitWith(service: string, error: unknown, log?: Logger): never {
  const expected = error instanceof AppError && error.code !== 'unexpected';
  // What was logged before comes before it.
  log?.flush();
  if (expected) process.stderr.write(`${service}: ${error.message}\n`);
  else if (log) log.fatal({ err: error }, 'service crashed');
  else process.stderr.write(`${service}: ${errorText(error)}\n`);
  process.exit(exitCodeOf(error));
}

/** The exit code that tells a supervisor what kind of failure it was. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof AppError)) return exitCodes.failed;
  if (error.code === 'config') return exitCodes.config;
  return error.code === 'nats' ? exitCodes.unavailable : exitCodes.failed;
}
