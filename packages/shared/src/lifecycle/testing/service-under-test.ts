import { loadConfig } from '../../config/load-config.ts';
import { telemetryVariables } from '../../config/telemetry-config.ts';
import { AppError, ConfigError } from '../../errors/index.ts';
import { inSpan } from '../../telemetry/index.ts';
import { type Runtime, runMain, type ServiceConfig } from '../index.ts';

/** A service that does as its first argument says, so that tests can watch a whole process. */
const behaviours: Record<string, (runtime: Runtime) => Promise<void>> = {
  drains: async ({ signal, log, clock, ready }) => {
    ready();
    await clock.sleep(60_000, signal).catch(() => undefined);
    log.info('last work done');
  },
  'stops with the reason': ({ signal, clock }) => clock.sleep(60_000, signal),
  'hangs until aborted': ({ abort, clock }) =>
    clock.sleep(60_000, abort).catch(() => {
      throw new Error('work was cut short');
    }),
  hangs: ({ clock }) => clock.sleep(60_000),
  'tells spans until it drains': async ({ signal, log, clock, ready }) => {
    await inSpan('start', {}, async () => {
      log.info('within');
      await inSpan('first step', {}, () => clock.sleep(20));
    });
    log.info('without');
    ready();
    while (!signal.aborted) {
      await inSpan('work', {}, () => undefined);
      await clock.sleep(20, signal).catch(() => undefined);
    }
    await inSpan('end', {}, () => undefined);
  },
  'fails in a span': async () => {
    await inSpan('start', {}, () => Promise.reject(new AppError('nats', 'NATS cannot be reached')));
  },
  ends: () => Promise.resolve(),
  crashes: () => Promise.reject(new TypeError('undefined is not a function')),
  'is wrongly configured': () => Promise.reject(new ConfigError('the group does not exist')),
  'has no NATS': () => Promise.reject(new AppError('nats', 'NATS cannot be reached')),
};
const [, , behaviour = '', healthPort = '0', drainTimeoutMs = '1000'] = process.argv;

await runMain({
  service: 'test',
  loadConfig: (env): ServiceConfig => {
    if (behaviour === 'has no configuration') throw new ConfigError('TEST_NAME: is not set');
    return {
      ...loadConfig(telemetryVariables, env),
      installationId: 'test',
      instance: 'test-0',
      logLevel: { all: 'info', components: {} },
      logPretty: false,
      healthHost: '127.0.0.1',
      healthPort: Number(healthPort),
      drainTimeoutMs: Number(drainTimeoutMs),
    };
  },
  run: async (_config, runtime) => await behaviours[behaviour]?.(runtime),
});
