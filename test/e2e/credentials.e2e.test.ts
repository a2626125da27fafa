import { readFile, rename, writeFile } from 'node:fs/promises';
import { eventually, type TestProcess } from '@baton/testkit';
import { describe, expect, onTestFailed, test } from 'vitest';
import { atRest, patient, type Scene, startScene } from './listener-fixture.ts';

/** A call that began with the old token is finished first: up to 30 s. */
const slow = { timeoutMs: 60_000, everyMs: 50 };

async function startOne(scene: Scene): Promise<TestProcess> {
  const listener = scene.listener('listener-a');
  onTestFailed(() => void process.stderr.write(listener.stderr));
  await atRest(scene);
  return listener;
}

/** As a mounted secret changes: at once. */
async function writeToken(file: string, token: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const changed = text.replace(/"token":"[^"]*"/, `"token":"${token}"`);
  await writeFile(`${file}.new`, changed, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** GitHub takes the old token no more, nor anything that was had for it. */
async function revoke({ sim }: Scene): Promise<void> {
  await sim.replaceToken('rotated');
  await sim.expireTokens('queue');
}

/** A job that comes now is known, once, in the one session there ever was. */
async function expectServed({ sim, facts, undeleted }: Scene, job: string): Promise<void> {
  await eventually(async () => {
    expect(await facts()).toEqual([`job.assigned ${job}`]);
    expect(await undeleted()).toBe(0);
  }, slow);
  expect(await sim.books()).toMatchObject({ sessionsCreated: 1, sessionConflicts: 0 });
}

async function addJob({ sim }: Scene): Promise<string> {
  const [id = ''] = await sim.addJobs({ scaleSet: 'linux' });
  return id;
}

async function expectCleanExit(listener: TestProcess): Promise<void> {
  expect(listener.stderr.split('service starting')).toHaveLength(2);
  listener.signal('SIGTERM');
  expect(await listener.exited()).toBe(0);
}

describe('a token that is rotated in the credentials file of a running listener', () => {
  test('is used when the old one is revoked, in the same process, session and epoch', async () => {
    await using scene = await startScene();
    const listener = await startOne(scene);
    const life = async () => ({
      lease: await scene.lease(),
      epoch: (await scene.record())?.epoch,
      session: (await scene.session())?.id,
    });
    const before = await life();

    await writeToken(scene.credentialsFile, 'rotated');
    await listener.said('credentials changed');
    await revoke(scene);

    await expectServed(scene, await addJob(scene));
    await atRest(scene);
    expect(await life()).toEqual(before);
    await expectCleanExit(listener);
  });

  test('ends the refusal of one that was revoked too early, in the same process and session', async () => {
    await using scene = await startScene();
    const listener = await startOne(scene);
    const life = async () => ({ lease: await scene.lease(), session: (await scene.session())?.id });
    const before = await life();
    // Counts the calls with what was had for the old token.
    await scene.sim.addFault({
      id: 'refused',
      route: 'registerRunner',
      action: { kind: 'delay', ms: 0 },
    });

    await revoke(scene);
    const job = await addJob(scene);
    await eventually(async () => {
      const { faults } = await scene.sim.state();
      expect(faults.find(({ id }) => id === 'refused')?.seen).toBeGreaterThan(0);
    }, patient);
    await writeToken(scene.credentialsFile, 'rotated');

    await expectServed(scene, job);
    await atRest(scene);
    expect(await life()).toEqual(before);
    await expectCleanExit(listener);
  });
});
