import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RunnerHost } from './runner/runner-host.ts';
import { startClient } from './testing/start-client.ts';

const script = new URL('../bin/run-hosted.sh', import.meta.url).pathname;
const patient = { timeout: 10_000 };

/** A host, and a way to start shells whose runners it plays. */
async function startHost() {
  const dir = await mkdtemp(join(tmpdir(), 'hosted-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const folder = join(dir, 'host');
  const host = await RunnerHost.start(folder);
  onTestFinished(() => host[Symbol.asyncDispose]());
  return async (name: string, config: string): Promise<ChildProcess> => {
    const cwd = join(dir, name);
    await mkdir(cwd);
    const env = { ACTIONS_RUNNER_INPUT_JITCONFIG: config, SIM_RUNNER_HOST: folder };
    const shell = spawn(script, { cwd, env: { PATH: '/usr/bin:/bin', ...env } });
    onTestFinished(() => void shell.kill('SIGKILL'));
    return shell;
  };
}

async function said({ stdout }: ChildProcess, text: string): Promise<void> {
  for await (const chunk of stdout ?? []) if (String(chunk).includes(text)) return;
}

async function startBusy(runnerOfflineMs: number, durationMs: number) {
  const client = await startClient({ runnerOfflineMs });
  const id = await client.scaleSet();
  const session = await client.session(id);
  await client.control.addJobs({ scaleSet: 'linux', durationMs });
  await client.poll(session);
  const start = await startHost();
  const shell = await start('r1', (await client.jit(id, 'r1')).config);
  const exited = once(shell, 'exit');
  const statusNow = async () => (await client.control.jobs())[0]?.status;
  return { client, shell, exited, statusNow };
}

test('a hosted runner does one job, and its shell ends as a runner does', async () => {
  const { client, exited } = await startBusy(10_000, 20);

  expect(await exited).toEqual([0, null]);
  expect(await client.control.books()).toMatchObject({ jobs: { completed: 1 }, registrations: [] });
});

test('a hosted runner that is removed while it is idle ends well', async () => {
  const client = await startClient();
  const id = await client.scaleSet();
  const start = await startHost();
  const shell = await start('r1', (await client.jit(id, 'r1')).config);
  const exited = once(shell, 'exit');
  const statusNow = async () => (await client.control.state()).runners[0]?.status;
  await expect.poll(statusNow, patient).toBe('idle');

  await client.control.dropRegistrations();

  expect(await exited).toEqual([0, null]);
});

test('a hosted runner whose shell is killed falls silent: its job fails', async () => {
  const { shell, exited, statusNow } = await startBusy(100, 60_000);
  await expect.poll(statusNow, patient).toBe('running');

  shell.kill('SIGKILL');

  expect(await exited).toEqual([null, 'SIGKILL']);
  await expect.poll(statusNow, patient).toBe('failed');
});

test('a hosted runner that is told to end in the middle of its job exits with 1', async () => {
  const { shell, exited } = await startBusy(100, 60_000);
  await said(shell, 'Running a job');

  shell.kill('SIGTERM');

  expect(await exited).toEqual([1, null]);
});
