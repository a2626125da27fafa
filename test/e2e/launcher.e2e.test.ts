import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { runProgram } from './run-program.ts';

const scripts = fileURLToPath(new URL('../../scripts', import.meta.url));
const programs: Record<string, string> = {
  baton: 'packages/cli/src/main.ts',
  listener: 'services/listener/src/main.ts',
  provisioner: 'services/provisioner/src/main.ts',
  janitor: 'services/janitor/src/main.ts',
  simulator: 'packages/github-sim/src/main.ts',
};
/** Tells how it was started, and ends with 7. */
const teller = (name: string) =>
  `console.log(JSON.stringify([${JSON.stringify(name)}, process.cwd(), ...process.argv.slice(2)]));
   process.exitCode = 7;`;

let root: string;
let here: string;

/** A repository of programs that tell how they were started, with a pnpm that is there already. */
beforeEach(async () => {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'baton-launcher-')));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  [root, here] = [join(dir, 'repository'), join(dir, 'here')];
  await cp(scripts, join(root, 'scripts'), { recursive: true });
  const files = {
    'package.json': JSON.stringify({ packageManager: 'pnpm@1.2.3' }),
    'pnpm-lock.yaml': '',
    'pnpm-workspace.yaml': '',
    'node_modules/.keep': '',
    '.tools/node_modules/pnpm/package.json': JSON.stringify({ version: '1.2.3' }),
    '.tools/node_modules/pnpm/bin/pnpm.mjs': 'console.log("Already up to date");',
    '../here/.keep': '',
    ...Object.fromEntries(Object.entries(programs).map(([name, file]) => [file, teller(name)])),
  };
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), content);
  }
});

describe('node scripts/launch.mjs', () => {
  test.each(Object.keys(programs))(
    '%s runs the program where the caller is: its stdout alone, its exit code',
    async (name) => {
      const launcher = join(root, 'scripts/launch.mjs');

      const { code, stdout } = await runProgram(launcher, [name, 'get', '-o', 'json'], {}, here);

      expect(stdout).toBe(`${JSON.stringify([name, here, 'get', '-o', 'json'])}\n`);
      expect(code).toBe(7);
    },
  );

  test('says what there is to an unknown command', async () => {
    const { code, stdout, stderr } = await runProgram(join(root, 'scripts/launch.mjs'), ['batton']);

    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/usage: .*\|baton\|listener\|provisioner\|janitor\|simulator\|/);
  });
});

test('the programs that the launcher runs are those of package.json, and are there', () => {
  const read = (file: string) => readFileSync(join(scripts, '..', file), 'utf8');
  const { scripts: known } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(read('package.json')));

  for (const [name, file] of Object.entries(programs)) {
    expect(known[name]).toMatch(/^node (--\S+ )*[^ -]\S*$/);
    expect(known[name]?.split(' ').at(-1)).toBe(file);
    expect(read(file)).not.toBe('');
  }
});
