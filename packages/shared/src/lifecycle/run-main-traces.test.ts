import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  eventually,
  makePrivateCa,
  type OtlpReceiver,
  startOtlpReceiver,
  startTestProcess,
} from '@baton/testkit';
import { describe, expect, test } from 'vitest';

const service = fileURLToPath(new URL('./testing/service-under-test.ts', import.meta.url));
const tellLoaded = new URL('./testing/tell-loaded.ts', import.meta.url).href;
const times = { timeout: 60_000 };

function start(behaviour: string, env: Record<string, string>, drainTimeoutMs = 200_000) {
  return startTestProcess(service, { args: [behaviour, '0', String(drainTimeoutMs)], env });
}

const to = (receiver: OtlpReceiver) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });

/** The log line with this message. */
function line(stderr: string, msg: string): Record<string, unknown> {
  const found = stderr.split('\n').find((text) => text.includes(`"msg":"${msg}"`));
  return JSON.parse(found ?? '{}') as Record<string, unknown>;
}

describe('a traced process', times, () => {
  test('tells of its start, its work and its end, and log lines say in which span they are', async () => {
    await using receiver = await startOtlpReceiver();
    await using child = start('tells spans until it drains', {
      ...to(receiver),
      OTEL_BSP_SCHEDULE_DELAY: '50',
    });
    const named = (name: string) => receiver.spans.filter((span) => span.name === name);
    await eventually(() => expect(named('work').length).toBeGreaterThan(5), { timeoutMs: 20_000 });
    child.signal('SIGTERM');

    expect(await child.exited()).toBe(0);
    expect(receiver.violations).toEqual([]);
    const [first] = named('start');
    const [step] = named('first step');
    expect(step).toMatchObject({ traceId: first?.traceId, parentSpanId: first?.spanId });
    expect(Number((step?.end ?? 0n) - (step?.start ?? 0n)) / 1e6).toBeGreaterThanOrEqual(18);
    expect(named('end')).toHaveLength(1);
    expect(first?.resource).toMatchObject({
      'service.name': 'baton-test',
      'service.instance.id': 'test-0',
      'process.pid': child.pid,
    });
    const { traceId, spanId } = first ?? {};
    expect(line(child.stderr, 'within')).toMatchObject({ traceId, spanId });
    for (const msg of ['without', 'service ready']) {
      expect(line(child.stderr, msg)).toMatchObject({ msg });
      expect(line(child.stderr, msg)).not.toHaveProperty('traceId');
    }
  });

  test('that fails at its start has told why', async () => {
    await using receiver = await startOtlpReceiver();
    await using child = start('fails in a span', to(receiver));

    expect(await child.exited()).toBe(69);
    expect(receiver.spans).toMatchObject([
      { name: 'start', status: 'error', statusMessage: 'NATS cannot be reached' },
    ]);
    expect(child.stderr).toMatch(/test: NATS cannot be reached\n$/);
  });

  test('ends in time although its collector never answers', async () => {
    await using receiver = await startOtlpReceiver();
    receiver.behave('hang');
    await using child = start('tells spans until it drains', to(receiver), 20_000);
    await child.said('service ready');

    const begun = performance.now();
    child.signal('SIGTERM');

    expect(await child.exited()).toBe(0);
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(child.stderr).toMatch(/the last spans may be lost.*service drained/s);
  });

  test('ends within its drain budget, however small that is', async () => {
    await using receiver = await startOtlpReceiver();
    receiver.behave('hang');
    await using child = start('tells spans until it drains', to(receiver), 4_000);
    await child.said('service ready');

    child.signal('SIGTERM');

    expect(await child.exited()).toBe(0);
    expect(child.stderr).not.toContain('drain took too long');
  });

  test('trusts the certificates that it is told to, for its collector', async () => {
    const ca = await makePrivateCa();
    await using dir = await mkdtempDisposable(join(tmpdir(), 'baton-ca-'));
    const file = join(dir.path, 'ca.pem');
    await writeFile(file, ca.root);
    await using receiver = await startOtlpReceiver({
      tls: await ca.issue({ hosts: ['localhost'] }),
    });
    await using child = start('fails in a span', {
      ...to(receiver),
      OTEL_EXPORTER_OTLP_CERTIFICATE: file,
    });

    expect(await child.exited()).toBe(69);
    expect(receiver.spans).toMatchObject([{ name: 'start' }]);
  });

  test('says what of its configuration cannot be used, and ends', async () => {
    await using child = start('ends', {
      OTEL_TRACES_SAMPLER: 'sometimes',
      OTEL_EXPORTER_OTLP_CLIENT_KEY: '/nowhere',
    });

    expect(await child.exited()).toBe(78);
    expect(child.stderr).toMatch(/^test: .*\n {2}OTEL_EXPORTER_OTLP_CLIENT_KEY: names a file that/);
    expect(child.stderr).toMatch(/\n {2}OTEL_TRACES_SAMPLER: Invalid option/);
  });
});

test.each([
  ['nothing where no traces are wanted', {}, ''],
  [
    'nothing where no trace is sampled',
    { OTEL_TRACES_SAMPLER: 'always_off', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
    '',
  ],
  [
    'of the SDK nothing before there is a span to export',
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
    '@opentelemetry/api @opentelemetry/context-async-hooks',
  ],
])('a process loads %s', times, async (_what, env, loaded) => {
  await using child = start('ends', { ...env, NODE_OPTIONS: `--import=${tellLoaded}` });

  expect(await child.exited()).toBe(0);
  expect(child.stderr).toContain(`loaded: ${loaded}.\n`);
});
