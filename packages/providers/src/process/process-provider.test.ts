import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, readlink, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Secret } from '@baton/shared/config';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { eventuallyState, providerConformance } from '../conformance.ts';
import { aRequest } from '../testing/a-request.ts';
import { eventually } from '../testing/eventually.ts';
import { writeTags } from './instance-folder.ts';
import { readGroup, readPidScope } from './proc.ts';
import { aProcessBench, aProcessProvider } from './testing/process-bench.ts';

providerConformance('the process provider', () => aProcessBench());

/** Real processes, on a host that may be busy. */
vi.setConfig({ testTimeout: 60_000 });

const { signal } = new AbortController();
let bench: Awaited<ReturnType<typeof aProcessBench>>;
let root: string;

beforeEach(async () => {
  bench = await aProcessBench();
  root = join(bench.directory, 'conformance');
});
afterEach(async () => {
  for (const { instanceId } of await bench.provider.list(signal))
    await bench.provider.delete(instanceId, signal);
  await bench.dispose();
});

test('an instance outlives the SIGKILL of its creator and is found by the next', async () => {
  const script = fileURLToPath(new URL('./testing/create-and-wait.ts', import.meta.url));
  const creator = spawn(process.execPath, [script, bench.directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const dead = once(creator, 'exit');
  await once(creator.stdout, 'data');

  creator.kill('SIGKILL');
  await dead;

  const next = await aProcessProvider(bench.directory);
  await eventuallyState(next, 'runner-1', 'running');
  await next.delete('runner-1', signal);
  expect(await readdir(root)).toEqual([]);
});

test('the JIT config is in the environment only', async () => {
  await bench.provider.create(aRequest({ jitConfig: new Secret('run s3cret') }), signal);
  const leader = await startedLeader('runner-1');

  const members = await readGroup(leader);
  const shown = await Promise.all(members.map(({ pid }) => readFile(`/proc/${pid}/cmdline`)));
  const files = await readdir(join(root, 'runner-1'), { recursive: true, withFileTypes: true });
  const kept = await Promise.all(
    files.filter((f) => f.isFile()).map((f) => readFile(join(f.parentPath, f.name))),
  );

  expect(members.length).toBeGreaterThan(1);
  expect(kept.length).toBeGreaterThan(3);
  expect(Buffer.concat([...shown, ...kept]).toString()).not.toContain('s3cret');
});

test('a runner sees nothing of the environment of the service', async () => {
  const provider = await aProcessProvider(bench.directory, {
    command: ['/bin/sh', '-c', 'env'],
    env: { EXTRA: 'yes' },
    serviceEnv: { PATH: '/usr/bin:/bin', HOME: '/nowhere', BATON_TOKEN: 's3cret' },
  });

  await provider.create(aRequest(), signal);
  await eventuallyState(provider, 'runner-1', 'exited');

  // Log files may be a moment behind the exit.
  const lines = await eventually(async () => {
    const text = await readFile(join(root, 'runner-1/stdout.log'), 'utf8');
    expect(text).toContain('RUNNER_ALLOW_RUNASROOT');
    return text.trim().split('\n');
  });
  const setByShells = ['PWD', 'OLDPWD', 'SHLVL', '_'];
  const names = lines.map((line) => line.split('=')[0] ?? '');
  expect(new Set(names.filter((name) => !setByShells.includes(name)))).toEqual(
    new Set([
      'ACTIONS_RUNNER_INPUT_JITCONFIG',
      'BATON_RUNNER_ID',
      'EXTRA',
      'HOME',
      'PATH',
      'RUNNER_ALLOW_RUNASROOT',
    ]),
  );
});

test('delete ends every process of a runner that ignores SIGTERM', async () => {
  const provider = await aProcessProvider(bench.directory, { stopTimeoutMs: 50 });
  await provider.create(aRequest({ jitConfig: new Secret('stubborn') }), signal);
  const leader = await startedLeader('runner-1');

  await provider.delete('runner-1', signal);

  expect(await readGroup(leader)).toEqual([]);
  expect(await readdir(root)).toEqual([]);
});

test('delete ends what a finished runner left running', async () => {
  const provider = await aProcessProvider(bench.directory, {
    command: ['/bin/sh', '-c', 'tail -f /dev/null & exit 4'],
  });
  await provider.create(aRequest(), signal);
  expect(await eventuallyState(provider, 'runner-1', 'exited')).toMatchObject({ exitCode: 4 });
  const leader = Number((await readFile(join(root, 'runner-1/pid'), 'utf8')).split(' ')[0]);
  expect(await readGroup(leader)).not.toEqual([]);

  await provider.delete('runner-1', signal);

  expect(await readGroup(leader)).toEqual([]);
});

test('a delete that is called off leaves an instance that the next one can delete', async () => {
  await bench.provider.create(aRequest({ jitConfig: new Secret('stubborn') }), signal);
  await startedLeader('runner-1');
  const caller = new AbortController();

  const deleting = bench.provider.delete('runner-1', caller.signal);
  caller.abort(new Error('shutting down'));

  await expect(deleting).rejects.toThrow('shutting down');
  const hasty = await aProcessProvider(bench.directory, { stopTimeoutMs: 0 });
  await hasty.delete('runner-1', signal);
  expect(await readdir(root)).toEqual([]);
});

test('a process that got the pid of a runner is neither taken for it nor killed', async () => {
  await bench.provider.create(aRequest(), signal);
  const leader = await startedLeader('runner-1');
  await writeFile(join(root, 'runner-1/pid'), `${leader} 12345 ${await readPidScope()}\n`);

  const [instance] = await bench.provider.list(signal);
  await bench.provider.delete('runner-1', signal);

  expect(instance).toMatchObject({ state: 'exited' });
  expect(instance).not.toHaveProperty('exitCode');
  expect(await readGroup(leader)).not.toEqual([]);
  process.kill(-leader, 'SIGKILL');
});

test('a process of this boot is not taken for a runner of an earlier one', async () => {
  await bench.provider.create(aRequest(), signal);
  const leader = await startedLeader('runner-1');
  const [pid, ticks, scope = ''] = (await readFile(join(root, 'runner-1/pid'), 'utf8')).split(' ');
  await writeFile(join(root, 'runner-1/pid'), `${pid} ${ticks} ${scope.replace(/^./, 'x')}`);

  const [instance] = await bench.provider.list(signal);
  await bench.provider.delete('runner-1', signal);

  expect(instance).toMatchObject({ state: 'exited' });
  expect(await readGroup(leader)).not.toEqual([]);
  process.kill(-leader, 'SIGKILL');
});

test('an instance whose pid file has no scope, as an earlier version wrote it, is found', async () => {
  await bench.provider.create(aRequest(), signal);
  const leader = await startedLeader('runner-1');
  const [pid, ticks] = (await readFile(join(root, 'runner-1/pid'), 'utf8')).split(' ');
  await writeFile(join(root, 'runner-1/pid'), `${pid} ${ticks}\n`);

  const found = await bench.provider.list(signal);
  await bench.provider.delete('runner-1', signal);

  expect(found).toMatchObject([{ state: 'running' }]);
  expect(await readGroup(leader)).toEqual([]);
});

test('a runner whose wrapper was killed has exited with an unknown code', async () => {
  await bench.provider.create(aRequest(), signal);
  const leader = await startedLeader('runner-1');

  process.kill(-leader, 'SIGKILL');

  const instance = await eventuallyState(bench.provider, 'runner-1', 'exited');
  expect(instance).not.toHaveProperty('exitCode');
});

test('an instance whose creator died before starting it is starting, then exited', async () => {
  const leave = async (runnerId: string, ageMs: number) => {
    await mkdir(join(root, runnerId));
    const createdAt = new Date(Date.now() - ageMs).toISOString();
    await writeTags(join(root, runnerId), aRequest({ runnerId }), { createdAt, cgroups: [] });
  };
  await leave('fresh', 0);
  await leave('old', 6000);

  const found = await bench.provider.list(signal);

  const states = Object.fromEntries(found.map(({ runnerId, state }) => [runnerId, state]));
  expect(states).toEqual({ fresh: 'starting', old: 'exited' });
});

test('list passes over what is no instance', async () => {
  await mkdir(join(root, '.creating-abc123'));
  await mkdir(join(root, 'no-tags'));
  await mkdir(join(root, 'bad-tags'));
  await writeFile(join(root, 'bad-tags/instance.json'), '{"version":');
  await writeFile(join(root, 'a-file'), '');

  expect(await bench.provider.list(signal)).toEqual([]);
});

test('the next start finishes a delete that a crash cut short', async () => {
  await bench.provider.create(aRequest(), signal);
  await startedLeader('runner-1');
  await rename(join(root, 'runner-1'), join(root, '.deleted-runner-1~1'));

  await aProcessProvider(bench.directory);

  expect(await readdir(root)).toEqual([]);
});

test('maxInstances holds for creates at the same time', async () => {
  const provider = await aProcessProvider(bench.directory, { maxInstances: 3 });

  const asked = ['a', 'b', 'c', 'd', 'e'].map((runnerId) =>
    provider.create(aRequest({ runnerId }), signal),
  );
  const settled = await Promise.allSettled(asked);

  const refused = settled.filter(({ status }) => status === 'rejected');
  expect(refused).toMatchObject([
    { reason: { class: 'quota', retryable: true } },
    { reason: { class: 'quota' } },
  ]);
  expect(await provider.capacity(signal)).toEqual({ free: 0 });
});

test('creates and deletes of one id at once leave nothing behind', async () => {
  for (let round = 0; round < 10; round += 1) {
    const acts = [1, 2, 3].flatMap(() => [
      bench.provider.create(aRequest(), signal).catch(() => undefined),
      bench.provider.delete('runner-1', signal),
    ]);
    await Promise.all(acts);
  }
  await bench.provider.delete('runner-1', signal);

  await eventually(async () => expect(await workingFolders('runner-1')).toEqual([]));
  expect(await readdir(root)).toEqual([]);
});

/** Waits until the runner program itself runs; returns the pid of its group. */
async function startedLeader(runnerId: string): Promise<number> {
  return await eventually(async () => {
    await readFile(join(root, runnerId, 'work/started'));
    return Number((await readFile(join(root, runnerId, 'pid'), 'utf8')).split(' ')[0]);
  });
}

/** The folders of this test's instances in which a process works. */
async function workingFolders(runnerId: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const folders = await Promise.all(
    pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')),
  );
  return folders.filter((folder) => folder.startsWith(root) && folder.includes(runnerId));
}
