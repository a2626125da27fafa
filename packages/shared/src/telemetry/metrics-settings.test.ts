import { describe, expect, test } from 'vitest';
import { loadConfig, telemetryVariables } from '../config/index.ts';
import { unitOf } from './metric-unit.ts';
import { metricsSettings } from './metrics-settings.ts';

type Env = Record<string, string>;

const settingsOf = (env: Env) => metricsSettings(loadConfig(telemetryVariables, env));
const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('metricsSettings', () => {
  test.each<[string, Env]>([
    ['nothing is said', {}],
    ['none are wanted', { ...endpoint, OTEL_METRICS_EXPORTER: 'none' }],
    ['only Prometheus reads them', { ...endpoint, OTEL_METRICS_EXPORTER: 'prometheus' }],
    ['all of it is off', { ...endpoint, OTEL_SDK_DISABLED: 'true' }],
    ['only traces have an address', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318' }],
  ])('nothing is pushed where %s', (_what, env) => {
    expect(settingsOf(env)).toBeUndefined();
  });

  test.each<[Env, string]>([
    [{ OTEL_METRICS_EXPORTER: 'otlp' }, 'http://localhost:4318/v1/metrics'],
    [{ OTEL_METRICS_EXPORTER: 'prometheus, otlp' }, 'http://localhost:4318/v1/metrics'],
    [endpoint, 'http://collector:4318/v1/metrics'],
    [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://own/x' }, 'http://own/x'],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'grpc' }, 'http://collector:4318'],
  ])('%j pushes to %s', (env, url) => {
    expect(settingsOf(env)?.target.url).toBe(url);
  });

  test('a push takes no longer than the time to the next', () => {
    const settings = settingsOf({ ...endpoint, OTEL_METRIC_EXPORT_INTERVAL: '5000' });

    expect(settings).toMatchObject({ intervalMs: 5_000, timeoutMs: 5_000 });
    expect(settingsOf(endpoint)).toMatchObject({ intervalMs: 60_000, timeoutMs: 30_000 });
  });

  test('an exporter that there is not is refused, with those that there are', () => {
    const env = { OTEL_METRICS_EXPORTER: 'otlp,statsd' };

    expect(() => settingsOf(env)).toThrow(/OTEL_METRICS_EXPORTER.*otlp, prometheus, none/s);
  });
});

describe('unitOf', () => {
  test.each([
    ['baton_session_gap_seconds', 's'],
    ['process_cpu_seconds_total', 's'],
    ['process_resident_memory_bytes', 'By'],
    ['baton_messages_total', '{count}'],
    ['baton_runners', '{count}'],
  ])('%s has %s', (name, unit) => {
    expect(unitOf(name)).toBe(unit);
  });
});
