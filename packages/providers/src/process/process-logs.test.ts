import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Secret } from '@baton/shared/config';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { eventuallyState } from '../conformance.ts';
import { aRequest } from '../testing/a-request.ts';
import { eventually } from '../testing/eventually.ts';
import { findProblem } from './find-problem.ts';
import { aProcessBench, aProcessProvider } from './testing/process-bench.ts';

/** Real processes, on a host that may be busy. */
vi.setConfig({ testTimeout: 60_000 });

const { signal } = new AbortController();
const wrapper = fileURLToPath(new URL('./run-instance.sh', import.meta.url));

let bench: Awaited<ReturnType<typeof aProcessBench>>;
let folder: string;

beforeEach(async () => {
  bench = await aProcessBench();
  folder = join(bench.directory, 'conformance/runner-1');
});
afterEach(async () => {
  await bench.provider.delete('runner-1', signal);
  await bench.dispose();
});

async function run(script: string, definition: Record<string, unknown> = {}) {
  const command = ['/bin/sh', '-c', script];
  const provider = await aProcessProvider(bench.directory, { command, ...definition });
  await provider.create(aRequest(), signal);
  return provider;
}

async function sizes(): Promise<Record<string, number>> {
  const names = (await readdir(folder)).filter((name) => /^std.*\.log$/.test(name));
  const entries = names.map(async (name) => [name, (await stat(join(folder, name))).size] as const);
  return Object.fromEntries<number>(await Promise.all(entries));
}

describe('what a runner writes', () => {
  test('is kept apart by stream, readable while it runs', async () => {
    await run('echo to-out; echo to-err >&2; exec sleep 60');

    await eventually(async () => {
      expect(await readFile(join(folder, 'stdout.log'), 'utf8')).toBe('to-out\n');
      expect(await readFile(join(folder, 'stderr.log'), 'utf8')).toBe('to-err\n');
    });
  });

  test('takes no more than the definition says, and the end of it is kept', async () => {
    const logs = { fileBytes: 10_000, files: 3 };
    const script = 'head -c 80000 /dev/zero; echo; echo THE-END; head -c 35000 /dev/zero >&2';
    const provider = await run(script, { logs });
    await eventuallyState(provider, 'runner-1', 'exited');

    await eventually(async () => {
      expect(await readFile(join(folder, 'stdout.log'), 'utf8')).toMatch(/\nTHE-END\n$/);
      expect(await sizes()).toEqual({
        'stdout.log': 9,
        'stdout.1.log': 10_000,
        'stdout.2.log': 10_000,
        'stderr.log': 5_000,
        'stderr.1.log': 10_000,
        'stderr.2.log': 10_000,
      });
    });
  });

  test('is written also after the service is dead', async () => {
    const script = fileURLToPath(new URL('./testing/create-and-wait.ts', import.meta.url));
    const creator = spawn(process.execPath, [script, bench.directory, 'chatty'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const dead = once(creator, 'exit');
    await once(creator.stdout, 'data');
    creator.kill('SIGKILL');
    await dead;

    const length = async () => (await readFile(join(folder, 'stdout.log'), 'utf8')).length;
    const before = await eventually(length);

    await eventually(async () => expect(await length()).toBeGreaterThan(before));
    expect(await bench.provider.list(signal)).toMatchObject([{ state: 'running' }]);
  });

  test('does not outlive the instance, nor keep it, when a daemon holds the stream', async () => {
    const provider = await run('sleep 60 & exit 4');

    expect(await eventuallyState(provider, 'runner-1', 'exited')).toMatchObject({ exitCode: 4 });
    await provider.delete('runner-1', signal);

    expect(await readdir(join(bench.directory, 'conformance'))).toEqual([]);
  });

  test('is lost, and the runner goes on, when the disk is full', async () => {
    const folder = await aFolder();
    await symlink('/dev/full', join(folder, 'stdout.log'));
    const program = ['/bin/sh', '-c', 'head -c 100000 /dev/zero && exit 5'];

    await ended(spawnIn(folder, program));

    expect(await readFile(join(folder, 'exit'), 'utf8')).toBe('5\n');
  });
});

describe('a runner program that cannot be started', () => {
  test.each([
    { $case: 'is missing', script: 'exec /no/such/program', code: 127, class: 'not-found' },
    { $case: 'is no program', script: 'exec /etc/passwd', code: 126, class: 'denied' },
  ])('because it $case says why', async ({ script, code, class: problemClass }) => {
    const provider = await run(script);

    const { exitCode, problem } = await eventuallyState(provider, 'runner-1', 'exited');

    expect(exitCode).toBe(code);
    expect(problem?.class).toBe(problemClass);
    expect(problem?.text).toMatch(
      /^the runner program could not be started \(exit code \d+\): .*(not found|denied)$/,
    );
  });

  test('does not show a JIT config that it printed, and not more than a few words', async () => {
    const jitConfig = new Secret(`s3cret${'x'.repeat(6_000)}`);
    const script =
      'printf "%0300d\\n" 0 >&2; echo "bad: $ACTIONS_RUNNER_INPUT_JITCONFIG $(yes no | head -n 900)" >&2; exit 127';
    const command = ['/bin/sh', '-c', script];
    const provider = await aProcessProvider(bench.directory, { command });
    await provider.create(aRequest({ jitConfig }), signal);

    const { problem } = await eventuallyState(provider, 'runner-1', 'exited');

    expect(problem?.text).not.toMatch(/s3cret|xxxx/);
    expect(problem?.text.length).toBeLessThan(400);
  });

  test('has no problem to tell when it ended by itself', async () => {
    const provider = await run('echo no idea >&2; exit 3');

    const instance = await eventuallyState(provider, 'runner-1', 'exited');

    expect(instance).not.toHaveProperty('problem');
  });

  test('says so when the wrapper could not begin', async () => {
    const folder = await aFolder();
    await mkdir(join(folder, 'stdout.pipe'));

    await ended(spawnIn(folder, ['/bin/sh', '-c', 'exit 0']));

    expect(await readFile(join(folder, 'exit'), 'utf8')).toBe('125\n');
    expect(await findProblem(folder, [], 125)).toMatchObject({
      class: 'transient',
      text: expect.stringMatching(/^the runner was not started: mkfifo: .*File exists$/) as unknown,
    });
  });
});

test('a runner may have a PATH without the tools of the wrapper', async () => {
  const provider = await run('echo "$PATH"; exit 2', { env: { PATH: '/nowhere' } });

  expect(await eventuallyState(provider, 'runner-1', 'exited')).toMatchObject({ exitCode: 2 });
  await eventually(async () => {
    expect(await readFile(join(folder, 'stdout.log'), 'utf8')).toBe('/nowhere\n');
  });
});

/** The folder of an instance, as the wrapper finds it. */
async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-wrapper-'));
  onTestFinished(() => rm(folder, { recursive: true, maxRetries: 5 }));
  await mkdir(join(folder, 'work'));
  return folder;
}

/** The wrapper in a folder, with its errors where the provider puts them. */
function spawnIn(folder: string, command: string[]): ChildProcess {
  const log = openSync(join(folder, 'wrapper.log'), 'a');
  const args = [wrapper, 'name', 'scope', '10000', '2', ...command];
  const child = spawn('/bin/sh', args, { cwd: folder, stdio: ['ignore', log, log] });
  closeSync(log);
  return child;
}

async function ended(child: ChildProcess): Promise<void> {
  await once(child, 'exit');
}
