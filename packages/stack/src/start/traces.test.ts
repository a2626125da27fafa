import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@baton/shared/errors';
import { systemClock } from '@baton/shared/time';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../free-port.ts';
import { TraceFile } from './trace-file.ts';
import { TraceReceiver } from './trace-receiver.ts';
import { collectorOf, telemetryVariables, traceVariables } from './trace-variables.ts';
import { openTraces } from './traces.ts';

async function setUp(content?: string) {
  const dir = await mkdtemp(join(tmpdir(), 'baton-trace-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = join(dir, 'trace.jsonl');
  if (content !== undefined) await writeFile(file, content);
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  return { dir, file, said, say };
}

async function startReceiver() {
  const { file, said, say } = await setUp();
  const receiver = await TraceReceiver.start(file, { say });
  const send = async (body: string, headers: Record<string, string> = {}) => {
    const json = { 'content-type': 'application/json', ...headers };
    return await fetch(receiver.url, { method: 'POST', body, headers: json });
  };
  const end = async () => await receiver[Symbol.asyncDispose]();
  onTestFinished(end);
  return { receiver, file, said, send, [Symbol.asyncDispose]: end };
}

/** As an exporter would send it; `number` tells it from others. */
const request = (number: number) => ({
  resourceSpans: [{ scopeSpans: [], schemaUrl: `${number}` }],
});

describe('TraceReceiver', () => {
  test('writes each request as a line, also of many at once', async () => {
    const { file, said, send } = await startReceiver();
    const numbers = Array.from({ length: 50 }, (_, index) => index);

    const answers = await Promise.all(
      numbers.map(async (number) => await send(JSON.stringify(request(number), null, 2))),
    );

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await answers[0]?.json()).toEqual({});
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(new Set(lines)).toEqual(
      new Set(numbers.map((number) => JSON.stringify(request(number)))),
    );
    expect(lines).toHaveLength(50);
    expect(said).toEqual([]);
  });

  test.each([
    ['no json', {}, 400],
    ['{"resourceMetrics":[]}', {}, 400],
    ['{}', { 'content-type': 'application/x-protobuf' }, 415],
    ['{}', { 'content-encoding': 'gzip' }, 415],
    [' '.repeat(17 * 1024 * 1024), {}, 413],
  ])('refuses what it cannot write, and says so once: %#', async (body, headers, status) => {
    const { file, said, send } = await startReceiver();

    const answers = [await send(body, headers), await send(body, headers)];

    expect(answers.map((answer) => answer.status)).toEqual([status, status]);
    expect(said).toEqual([expect.stringMatching(/^traces are missing in the file: /)]);
    expect((await stat(file)).size).toBe(0);
  });

  test('knows no other paths', async () => {
    const { receiver } = await startReceiver();

    expect((await fetch(receiver.url)).status).toBe(404);
    expect((await fetch(new URL('/v1/metrics', receiver.url), { method: 'POST' })).status).toBe(
      404,
    );
  });
});

describe('TraceFile', () => {
  test.each(['', `${JSON.stringify(request(1))}\n`])('replaces %j', async (content) => {
    const { file } = await setUp(content);

    await using traces = await TraceFile.create(file);
    await traces.append(request(2));

    expect(await readFile(file, 'utf8')).toBe(`${JSON.stringify(request(2))}\n`);
  });

  test('leaves a file alone that is something else', async () => {
    const { file } = await setUp('# Baton\n');

    await expect(TraceFile.create(file)).rejects.toThrow(ConfigError);
    await expect(TraceFile.create(file)).rejects.toThrow(/name another file$/);
    expect(await readFile(file, 'utf8')).toBe('# Baton\n');
  });

  test('says why it cannot be written', async () => {
    const { dir } = await setUp();

    await expect(TraceFile.create(dir)).rejects.toThrow(/^--trace: EISDIR/);
    await expect(TraceFile.create(join(dir, 'no', 'trace'))).rejects.toThrow(/^--trace: ENOENT/);
  });

  test('takes no more than it has room for', async () => {
    const { file } = await setUp();
    await using traces = await TraceFile.create(file, 100);

    const written = [await traces.append(request(1)), await traces.append(request(2))];

    expect(written).toEqual([true, false]);
    expect(await readFile(file, 'utf8')).toBe(`${JSON.stringify(request(1))}\n`);
  });
});

describe('openTraces', () => {
  const hurry = new AbortController().signal;
  const around = { hurry, clock: systemClock };
  const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318/?key=secret', PATH: '/bin' };
  const post = async (url: string | undefined, number: number) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url ?? '', {
      ...{ method: 'POST', headers },
      body: JSON.stringify(request(number)),
    });
    return answer.status;
  };

  test('without --trace the environment decides', async () => {
    const { said, say } = await setUp();

    await using none = await openTraces(
      { trace: undefined },
      { ...around, env: { PATH: '/bin' }, say },
    );
    await using some = await openTraces({ trace: undefined }, { ...around, env: collector, say });

    expect(none.variables).toEqual({});
    expect(some.variables).toEqual(telemetryVariables(collector));
    expect(said).toEqual(['traces go to otel:4318, as the environment says']);
  });

  test('says once that a collector takes none', async () => {
    const { said, say } = await setUp();
    await using traces = await openTraces({ trace: undefined }, { ...around, env: {}, say });
    const line = { msg: 'spans are not taken, and lost meanwhile', reason: 'connect ECONNREFUSED' };

    for (const told of [line.msg, '{"msg":"service ready"}', JSON.stringify(line)]) {
      traces.onLog(told);
    }
    traces.onLog(JSON.stringify(line));

    expect(said).toEqual(['traces are lost, and nothing waits for them: connect ECONNREFUSED']);
  });

  test('with both, the file and the collector have the traces', async () => {
    const { file, said, say } = await setUp();
    await using other = await startReceiver();
    const { origin, host } = new URL(other.receiver.url);
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: origin };

    await using traces = await openTraces({ trace: file }, { ...around, env, say });
    const url = traces.variables.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? '';
    const status = await post(url, 7);
    await traces.show({ write: () => undefined });

    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1\/traces$/);
    expect(traces.variables).toEqual({ ...telemetryVariables(env), ...traceVariables(url) });
    expect(status).toBe(200);
    for (const one of [file, other.file]) {
      expect(await readFile(one, 'utf8')).toBe(`${JSON.stringify(request(7))}\n`);
    }
    expect(said).toEqual([`traces go to ${file} and to ${host}`, `no runner is in ${file}`]);
  });

  test('a collector that takes nothing is told of once, and the file has all', async () => {
    const { file, said, say } = await setUp();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` };

    await using traces = await openTraces({ trace: file }, { ...around, env, say });
    const url = traces.variables.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
    for (const number of [1, 2]) expect(await post(url, number)).toBe(200);
    await traces.show({ write: () => undefined });

    expect((await readFile(file, 'utf8')).trimEnd().split('\n')).toHaveLength(2);
    const missing = said.filter((text) => text.startsWith('traces are missing'));
    expect(missing).toEqual([expect.stringMatching(/^traces are missing at the collector: .+/)]);
  });

  test('what only speaks gRPC is not sent anything, and that is said', async () => {
    const { file, said, say } = await setUp();
    const env = { ...collector, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };

    await using _traces = await openTraces({ trace: file }, { ...around, env, say });

    expect(said).toEqual([
      `traces go to ${file}, and not to otel:4318: only OTLP/HTTP is passed on`,
    ]);
  });

  test('variables that cannot be used are an error at once', async () => {
    const { file, say } = await setUp();
    const env = { ...collector, OTEL_EXPORTER_OTLP_TIMEOUT: 'soon' };

    await expect(openTraces({ trace: file }, { ...around, env, say })).rejects.toThrow(
      /OTEL_EXPORTER_OTLP_TIMEOUT/,
    );
  });
});

test.each([
  [{}, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:1/x?key=secret' }, 'a:1'],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://b' },
    'b',
  ],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'secret' }, 'a collector'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_SDK_DISABLED: 'true' }, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_TRACES_EXPORTER: 'none' }, undefined],
])('the collector of %j', (env, expected) => {
  expect(collectorOf(env)).toBe(expected);
});
