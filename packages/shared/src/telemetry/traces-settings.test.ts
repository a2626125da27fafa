import { describe, expect, test } from 'vitest';
import { loadConfig, telemetryVariables } from '../config/index.ts';
import { resourceAttributes } from './resource-attributes.ts';
import { tracesSettings } from './traces-settings.ts';

type Env = Record<string, string>;

const read = (env: Env) => loadConfig(telemetryVariables, env);
const settingsOf = (env: Env) => tracesSettings(read(env));
const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('tracesSettings', () => {
  test.each<[string, Env]>([
    ['nothing is said', {}],
    ['none are wanted', { ...endpoint, OTEL_TRACES_EXPORTER: 'none' }],
    ['all of it is off', { ...endpoint, OTEL_SDK_DISABLED: 'true' }],
    ['none are sampled', { ...endpoint, OTEL_TRACES_SAMPLER: 'always_off' }],
    ['only metrics have an address', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://c:4318' }],
  ])('there are no traces where %s', (_what, env) => {
    expect(settingsOf(env)).toBeUndefined();
  });

  test.each<[Env, string]>([
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, 'http://localhost:4318/v1/traces'],
    [endpoint, 'http://collector:4318/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c/base/' }, 'https://c/base/v1/traces'],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://own/x' }, 'http://own/x'],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'http://collector:4318'],
    [
      { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' },
      'http://localhost:4317',
    ],
  ])('%j go to %s', (env, url) => {
    expect(settingsOf(env)?.target?.url).toBe(url);
  });

  test('what is said of traces goes before what is said of all; headers of both are sent', () => {
    const target = settingsOf({
      ...endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '2000',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20all, x-tenant=a',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=Bearer%20own',
    })?.target;

    expect(target).toMatchObject({ protocol: 'grpc', timeoutMs: 2_000 });
    const headers = Object.entries(target?.headers ?? {}).map(([k, v]) => [k, v.reveal()]);
    expect(headers).toEqual([
      ['authorization', 'Bearer own'],
      ['x-tenant', 'a'],
    ]);
  });

  test('headers cannot be printed', () => {
    const config = read({ OTEL_EXPORTER_OTLP_HEADERS: 'authorization=hunter2' });

    expect(JSON.stringify(config)).not.toContain('hunter2');
  });

  test('what cannot be used is reported at once, without a value that may be secret', () => {
    const attempt = () =>
      read({
        OTEL_TRACES_EXPORTER: 'zipkin',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
        OTEL_EXPORTER_OTLP_HEADERS: 'hunter2',
        OTEL_TRACES_SAMPLER_ARG: '10',
        OTEL_EXPORTER_OTLP_TIMEOUT: '0',
        OTEL_BSP_MAX_QUEUE_SIZE: 'many',
        OTEL_RESOURCE_ATTRIBUTES: 'team=%zz',
      });

    for (const problem of [
      /OTEL_TRACES_EXPORTER: Invalid option/,
      /OTEL_EXPORTER_OTLP_ENDPOINT: is no http:/,
      /OTEL_EXPORTER_OTLP_HEADERS: is not name=value/,
      /OTEL_TRACES_SAMPLER_ARG: is 10; allowed is a number from 0 to 1/,
      /OTEL_EXPORTER_OTLP_TIMEOUT: is 0; allowed/,
      /OTEL_BSP_MAX_QUEUE_SIZE: is not a number/,
      /OTEL_RESOURCE_ATTRIBUTES: is not name=value/,
    ]) {
      expect(attempt).toThrow(problem);
    }
    expect(attempt).not.toThrow('hunter2');
  });
});

describe('resourceAttributes', () => {
  const process = {
    service: 'listener',
    instance: 'listener-0',
    installationId: 'prod1',
    version: '1.2.3',
    pid: 5,
  };

  test('say which process it is', () => {
    expect(resourceAttributes(process, read({}))).toEqual({
      'service.namespace': 'baton',
      'service.name': 'baton-listener',
      'service.instance.id': 'listener-0',
      'service.version': '1.2.3',
      'process.pid': 5,
      'baton.installation.id': 'prod1',
    });
  });

  test('what the operator says goes before, and the name of the service before all', () => {
    const attributes = 'service.name=a,service.instance.id=b,team=runners%2Cci';
    const of = (env: Env) => resourceAttributes(process, read(env));

    expect(of({ OTEL_RESOURCE_ATTRIBUTES: attributes })).toMatchObject({
      'service.name': 'a',
      'service.instance.id': 'b',
      team: 'runners,ci',
    });
    expect(of({ OTEL_RESOURCE_ATTRIBUTES: attributes, OTEL_SERVICE_NAME: 'c' })).toMatchObject({
      'service.name': 'c',
    });
  });
});
