import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startClient, typeName } from './testing/start-client.ts';

const runScript = new URL('../bin/run.sh', import.meta.url).pathname;
const mainScript = new URL('./main.ts', import.meta.url).pathname;

function aRunner(config: string, env: Record<string, string> = {}): ChildProcess {
  const runner = spawn(runScript, [], {
    env: {
      PATH: '/usr/bin:/bin',
      BATON_NODE: process.execPath,
      ACTIONS_RUNNER_INPUT_JITCONFIG: config,
      ...env,
    },
  });
  onTestFinished(() => void runner.kill('SIGKILL'));
  return runner;
}

async function exitCode(child: ChildProcess): Promise<unknown> {
  const [code] = (await once(child, 'exit')) as unknown[];
  return code;
}

describe('the runner process', () => {
  test('does one job, and the books say so', async () => {
    const client = await startClient();
    const id = await client.scaleSet();
    const session = await client.session(id);
    await client.control.addJobs({ scaleSet: 'linux', durationMs: 20 });
    const assigned = await client.message(session);
    const { agentId, config } = await client.jit(id, 'r1');

    const code = await exitCode(aRunner(config));
    const done = await client.message(session, { cursor: assigned.messageId });

    expect(code).toBe(0);
    expect(JSON.parse(done.body)).toMatchObject([
      { messageType: 'JobStarted', runnerId: agentId, runnerName: 'r1' },
      { messageType: 'JobCompleted', result: 'succeeded', runnerName: 'r1' },
    ]);
    expect(await client.control.books()).toMatchObject({
      jobs: { completed: 1, total: 1 },
      lostJobs: 0,
      runnersOnline: 1,
      jobsStarted: 1,
      duplicateRunners: 0,
      registrations: [],
      sessionsCreated: 1,
      sessionConflicts: 0,
      messagesRedelivered: 0,
    });
    expect(await client.control.jobs()).toMatchObject([{ status: 'completed', runnerName: 'r1' }]);
    expect(await exitCode(aRunner(config))).toBe(1);
  });

  test('a busy runner cannot be deleted, and one that is killed fails its job', async () => {
    const client = await startClient({ runnerOfflineMs: 100 });
    const id = await client.scaleSet();
    const session = await client.session(id);
    await client.control.addJobs({ scaleSet: 'linux', durationMs: 60_000 });
    await client.poll(session);
    const { agentId, config } = await client.jit(id, 'r1');
    const runner = aRunner(config);
    const statusNow = async () => (await client.control.jobs())[0]?.status;
    await expect.poll(statusNow, { timeout: 10_000 }).toBe('running');
    const path = `distributedtask/pools/0/agents/${agentId}`;

    const refused = await client.api(path, { method: 'DELETE' });
    runner.kill('SIGKILL');
    await expect.poll(statusNow, { timeout: 10_000 }).toBe('failed');
    const gone = await client.api(path, { method: 'DELETE' });

    expect([refused.status, await typeName(refused)]).toEqual([
      400,
      'GitHub.DistributedTask.WebApi.JobStillRunningException',
    ]);
    expect(gone.status).toBe(204);
  });

  test('ends well when its registration goes away, and obeys what a test wants of it', async () => {
    const client = await startClient();
    const id = await client.scaleSet();
    const idle = aRunner((await client.jit(id, 'r1')).config);
    const idleNow = async () => (await client.control.state()).runners[0]?.status;
    await expect.poll(idleNow, { timeout: 10_000 }).toBe('idle');
    const idleExit = exitCode(idle);

    expect(await client.control.dropRegistrations()).toEqual(['r1']);
    expect(await idleExit).toBe(0);
    await client.control.play('linux', { runner: { mode: 'exit', exitCode: 7 } });
    expect(await exitCode(aRunner((await client.jit(id, 'r2')).config))).toBe(7);
    const env = { SIM_RUNNER_BEHAVIOUR: 'exit:9' };
    expect(await exitCode(aRunner((await client.jit(id, 'r3')).config, env))).toBe(9);
  });
});

describe('the runner process in trouble', () => {
  test('repeats calls whose answers were lost, and still counts once', async () => {
    const client = await startClient();
    const id = await client.scaleSet();
    const session = await client.session(id);
    await client.control.addJobs({ scaleSet: 'linux', durationMs: 10 });
    await client.poll(session);
    for (const route of ['runnerConnect', 'runnerWaitJob', 'runnerComplete'] as const) {
      const action = { kind: 'drop', when: 'mid-body' } as const;
      await client.control.addFault({ route, first: 1, action });
    }

    const code = await exitCode(aRunner((await client.jit(id, 'r1')).config));

    expect(code).toBe(0);
    expect(await client.control.books()).toMatchObject({ runnersOnline: 1, jobsStarted: 1 });
  });

  test('stops a job that is cancelled', async () => {
    const client = await startClient();
    const id = await client.scaleSet();
    const session = await client.session(id);
    const [job = ''] = await client.control.addJobs({ scaleSet: 'linux', durationMs: 60_000 });
    await client.poll(session);
    const exited = exitCode(aRunner((await client.jit(id, 'r1')).config));
    const statusNow = async () => (await client.control.jobs())[0]?.status;
    await expect.poll(statusNow, { timeout: 10_000 }).toBe('running');

    await client.control.cancelJob(job);

    expect(await exited).toBe(0);
    expect(await statusNow()).toBe('canceled');
    expect(await client.control.books()).toMatchObject({ lostJobs: 0 });
  });

  test('goes on with a job that the service says is over, and cannot be deleted meanwhile', async () => {
    const client = await startClient();
    const id = await client.scaleSet();
    const session = await client.session(id);
    const [job = ''] = await client.control.addJobs({ scaleSet: 'linux', durationMs: 1_000 });
    const assigned = await client.message(session);
    const { agentId, config } = await client.jit(id, 'r1');
    const exited = exitCode(aRunner(config));
    const statusNow = async () => (await client.control.jobs())[0]?.status;
    await expect.poll(statusNow, { timeout: 10_000 }).toBe('running');

    await client.control.announceCompletion(job);
    const told = await client.message(session, { cursor: assigned.messageId });
    const path = `distributedtask/pools/0/agents/${agentId}`;
    const refused = await client.api(path, { method: 'DELETE' });
    const still = await statusNow();

    expect(JSON.parse(told.body)).toMatchObject([
      { messageType: 'JobStarted' },
      { messageType: 'JobCompleted', result: 'succeeded', runnerName: 'r1' },
    ]);
    expect(told.statistics).toMatchObject({ totalAssignedJobs: 0, totalBusyRunners: 1 });
    expect(refused.status).toBe(400);
    expect(still).toBe('running');
    await client.control.announceCompletion(job).then(
      () => expect.unreachable('it was announced already'),
      (error: unknown) => expect(String(error)).toContain('is not running'),
    );
    expect(await exited).toBe(0);
    expect(await statusNow()).toBe('completed');
    expect((await client.poll(session, { cursor: told.messageId })).status).toBe(202);
  });

  test('ends on SIGTERM: well when idle, not well with a job', async () => {
    const client = await startClient();
    const id = await client.scaleSet();
    const session = await client.session(id);
    const statusNow = async () => (await client.control.state()).runners.map((r) => r.status);
    const idle = aRunner((await client.jit(id, 'r1')).config);
    await expect.poll(statusNow, { timeout: 10_000 }).toEqual(['idle']);
    const idleExit = exitCode(idle);
    idle.kill('SIGTERM');
    expect(await idleExit).toBe(0);

    const busy = aRunner((await client.jit(id, 'r2')).config);
    let said = '';
    busy.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await expect.poll(statusNow, { timeout: 10_000 }).toEqual(['idle', 'idle']);
    await client.control.addJobs({ scaleSet: 'linux', durationMs: 60_000 });
    await client.poll(session);
    await expect.poll(() => said, { timeout: 10_000 }).toContain('Running job');
    const busyExit = exitCode(busy);
    busy.kill('SIGTERM');

    expect(await busyExit).toBe(1);
  });
});

describe('the serve command', () => {
  test('prints one ready line and stops on SIGTERM', async () => {
    const child = spawn(process.execPath, [mainScript, 'serve', '--poll-hold-ms', '60000']);
    onTestFinished(() => void child.kill('SIGKILL'));
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const ready = JSON.parse(line.toString()) as { event: string; url: string };
    const exited = exitCode(child);

    expect(ready.event).toBe('ready');
    expect((await fetch(`${ready.url}/_sim/healthz`)).status).toBe(200);
    child.kill('SIGTERM');

    expect(await exited).toBe(0);
  });
});
