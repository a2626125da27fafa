import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aLife, asOtlp } from '@baton/traces/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { baton } from '../testing/setup.ts';

/** The runner r1, and a quicker one. */
async function fileOfTwo(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'baton-trace-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const quick = aLife().map((span) => ({
    ...span,
    traceId: 'f'.repeat(32),
    endMs: span.name === 'runner' ? span.endMs - 500 : span.endMs,
    attributes: JSON.parse(
      JSON.stringify(span.attributes).replaceAll('r1', 'r2'),
    ) as typeof span.attributes,
  }));
  const file = join(dir, 'trace.jsonl');
  await writeFile(file, `${asOtlp(quick)}\n${asOtlp(aLife())}\n`);
  return file;
}

describe('baton trace', () => {
  test('shows the slowest runner, and where the time of all went', async () => {
    const { code, stdout, stderr } = await baton(`trace ${await fileOfTwo()}`);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^runner baton-linux-r1 \(r1\): 4\.00 s in all/);
    expect(stdout).toMatch(/^ 0\.065 {2}0\.835 .* provisioner-0 {4} {2}boot$/m);
    expect(stdout).toContain('STEPS OF 2 RUNNERS');
    expect(stdout).not.toContain('r2');
  });

  test.each(['--runner r2', '--runner baton-linux-r2'])('%s shows that one', async (option) => {
    const { code, stdout } = await baton(`trace ${await fileOfTwo()} ${option}`);

    expect(code).toBe(0);
    expect(stdout.match(/^runner .*$/gm)).toEqual([
      'runner baton-linux-r2 (r2): 3.50 s in all, 1.40 s without idling and its job',
    ]);
  });

  test('--list names them all, the slowest first', async () => {
    const list = `trace ${await fileOfTwo()} --list`;

    const [table, json] = [await baton(list), await baton(`${list} -o json`)];

    expect(table.stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['RUNNER', 'IN ALL', 'ITS OWN', 'END', 'JOB'],
      ['baton-linux-r1', '4.00 s', '1.90 s', '-', 'succeeded'],
      ['baton-linux-r2', '3.50 s', '1.40 s', '-', 'succeeded'],
      [''],
    ]);
    expect(json.json()).toMatchObject({ runners: [{ name: 'baton-linux-r1' }, { ownMs: 1_400 }] });
    expect(json.stdout).not.toContain('"spans"');
  });

  test('-o json has all of it', async () => {
    const result = await baton(`trace ${await fileOfTwo()} --slowest 2 -o json`);

    expect(result.json()).toMatchObject({
      runners: [
        { runnerId: 'r1', hasEnded: true, hasPoll: true, tookMs: 4_000, ownMs: 1_900 },
        { runnerId: 'r2' },
      ],
      steps: [{ step: 'poll to plan', count: 2 }, {}, {}, {}, {}, {}],
    });
  });

  test.each([
    ['trace /no/such/file', 78, /cannot be read: ENOENT/],
    ['trace', 2, /missing required argument/],
    ['trace FILE --runner nobody', 1, /no runner "nobody" is among the 2 in .*--list/],
    ['trace FILE --slowest 0', 2, /Not a whole number above 0/],
    ['trace FILE --slowest 2 --runner r1', 2, /cannot be used with/],
    ['trace FILE --list --runner r1', 2, /cannot be used with/],
  ])('%s is explained', async (line, exitCode, text) => {
    const { code, stdout, stderr } = await baton(line.replace('FILE', await fileOfTwo()));

    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(stderr).toMatch(text);
  });
});
