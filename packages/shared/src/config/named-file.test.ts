import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { loadFile } from './named-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'baton-file-'));
const path = join(dir, 'things.yaml');
afterAll(() => rmSync(dir, { recursive: true }));

const schema = z.strictObject({
  things: z.array(z.strictObject({ name: z.string(), count: z.int().default(1) })),
});

describe('loadFile', () => {
  test('reads YAML and JSON', () => {
    writeFileSync(path, 'things:\n  - name: a\n');
    const yaml = loadFile(path, schema, 'thing file');
    writeFileSync(path, '{"things":[{"name":"a","count":2}]}');
    const json = loadFile(path, schema, 'thing file');

    expect(yaml).toEqual({ things: [{ name: 'a', count: 1 }] });
    expect(json).toEqual({ things: [{ name: 'a', count: 2 }] });
  });

  test('names a file that is missing', () => {
    const missing = join(dir, 'nothing.yaml');

    expect(() => loadFile(missing, schema, 'thing file')).toThrow(
      `thing file ${missing} cannot be read: ENOENT`,
    );
  });

  test('says where the YAML is broken, in one line', () => {
    writeFileSync(path, 'things:\n  - name: "a\n  - name: b\n');

    expect(() => loadFile(path, schema, 'thing file')).toThrow(
      /^thing file \S+ cannot be read: .* at line \d+, column \d+:?$/,
    );
  });

  test('reports every problem with its path and no value', () => {
    writeFileSync(
      path,
      'things:\n  - name: 5\n    count: secret\n  - nmae: secret\nmore: secret\n',
    );

    const attempt = () => loadFile(path, schema, 'thing file');

    expect(attempt).toThrow(`thing file ${path} has 5 problems:`);
    expect(attempt).toThrow(/\n {2}things\[0\]\.name: .*\n {2}things\[0\]\.count: /);
    expect(attempt).toThrow(/\n {2}things\[1\]\.name: .*\n {2}things\[1\]: .*"nmae"/);
    expect(attempt).toThrow(/\n {2}\(top\): .*"more"/);
    expect(attempt).not.toThrow('secret');
  });

  test('an empty file is one problem at the top', () => {
    writeFileSync(path, '');

    expect(() => loadFile(path, schema, 'thing file')).toThrow(/has 1 problem:\n {2}\(top\): /);
  });
});
