import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, ContractError } from '@baton/shared/errors';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readOtlp } from './read-otlp.ts';
import { readTraceFile } from './read-trace-file.ts';
import { aLife, asOtlp, zeroMs } from './testing/a-life.ts';

const ids = { traceId: '4BF92F3577B34DA6A3CE929D0E0E4736', spanId: '00F067AA0BA902B7' };
const times = {
  startTimeUnixNano: '1764000000000123456',
  endTimeUnixNano: '1764000000001000000',
};

function request(span: object, resource: object = {}): string {
  const spans = [{ ...ids, ...times, name: 'poll', ...span }];
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
}

describe('readOtlp', () => {
  test('reads what a span says', () => {
    const attributes = [
      { key: 'service.name', value: { stringValue: 'listener' } },
      { key: 'service.instance.id', value: { stringValue: 'listener-1' } },
    ];
    const span = {
      parentSpanId: '00F067AA0BA902B8',
      links: [ids],
      attributes: [
        { key: 'text', value: { stringValue: 'a' } },
        { key: 'small', value: { intValue: 7 } },
        { key: 'large', value: { intValue: '7000' } },
        { key: 'yes', value: { boolValue: true } },
        { key: 'share', value: { doubleValue: 0.5 } },
        { key: 'list', value: { arrayValue: { values: [] } } },
      ],
    };

    expect(readOtlp(request(span, { attributes }))).toEqual([
      {
        traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
        spanId: '00f067aa0ba902b7',
        parentId: '00f067aa0ba902b8',
        name: 'poll',
        startMs: zeroMs + 0.123,
        endMs: zeroMs + 1,
        service: 'listener',
        instance: 'listener-1',
        attributes: { text: 'a', small: 7, large: 7_000, yes: true, share: 0.5 },
        links: [{ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }],
        error: undefined,
      },
    ]);
  });

  test.each([[''], ['0000000000000000'], [undefined]])('parent %j is none', (parentSpanId) => {
    expect(readOtlp(request({ parentSpanId }))).toMatchObject([
      { parentId: undefined, service: 'unknown', instance: 'unknown' },
    ]);
  });

  test.each([
    [{ code: 2, message: 'no room' }, 'no room'],
    [{ code: 2 }, 'failed'],
    [{ code: 1 }, undefined],
  ])('status %j', (status, error) => {
    expect(readOtlp(request({ status }))).toMatchObject([{ error }]);
  });

  test('what is no trace has no spans', () => {
    expect(readOtlp('{"resourceMetrics":[]}')).toEqual([]);
  });

  test.each(['', 'no json', '[]', '{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}'])(
    '%j is refused',
    (text) => {
      expect(() => readOtlp(text)).toThrow(ContractError);
    },
  );
});

describe('readTraceFile', () => {
  async function fileOf(text: string): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), 'baton-traces-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    await writeFile(join(dir, 'trace.jsonl'), text);
    return join(dir, 'trace.jsonl');
  }
  const line = asOtlp(aLife());

  test('reads a request a line, and leaves out a last line that was cut short', async () => {
    const spans = await readTraceFile(await fileOf(`${line}\n\n${line}\n${line.slice(0, 300)}`));

    expect(spans).toHaveLength(2 * aLife().length);
    expect(spans[3]).toMatchObject({
      name: 'runner',
      service: 'baton-janitor',
      startMs: zeroMs + 10,
    });
  });

  test('an empty file has none', async () => {
    expect(await readTraceFile(await fileOf(''))).toEqual([]);
  });

  test.each([
    ['# Baton\n', /trace\.jsonl, line 1: no JSON; there must be/],
    ['\x1b[2J\n', /^[\x20-\x7e]+$/],
    [`${line}\nbroken\n${line}\n`, /trace\.jsonl, line 2: no JSON; /],
    [`${line}\n[]\n${line}\n`, /trace\.jsonl, line 2: no OTLP/],
  ])('a file that is something else is refused, with the line: %#', async (text, expected) => {
    const reading = readTraceFile(await fileOf(text));

    await expect(reading).rejects.toThrow(ConfigError);
    await expect(reading).rejects.toThrow(expected);
  });

  test.each(['/no/such/file', tmpdir()])('%s cannot be read', async (file) => {
    await expect(readTraceFile(file)).rejects.toThrow(`${file} cannot be read: E`);
  });
});
