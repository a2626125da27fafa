import { SimClient } from '@baton/github-sim/sim-client';
import { eventually } from '@baton/testkit';
import { describe, expect, onTestFailed, test } from 'vitest';
import { atRest, patient, type Scene, startScene } from './listener-fixture.ts';
import { runProgram } from './run-program.ts';

/** Somebody else is expected to be dead for a second only. */
const impatient = {
  BATON_SESSION_CONFLICT_BASE_MS: '250',
  BATON_SESSION_CONFLICT_MAX_MS: '500',
  BATON_SESSION_CONFLICT_EARLY_MS: '1000',
  BATON_SESSION_CONFLICT_LATE_MAX_MS: '1000',
};

/** Another program with the same rights at GitHub, which knows nothing of us. */
async function aForeigner({ configUrl }: Scene) {
  const client = new SimClient(new URL(configUrl).origin);
  await client.authenticate('sim-token');
  const path = (id: number, sessionId: string) =>
    `runtime/runnerscalesets/${id}/sessions/${sessionId}`;
  return {
    createScaleSet: async (name: string) => await client.scaleSet(name),
    openSession: async (id: number) => (await client.session(id, 'somebody-else')).sessionId,
    /** As who holds it does from time to time: the status says whether it is still there. */
    refresh: async (id: number, sessionId: string) =>
      (await client.api(path(id, sessionId), { method: 'PATCH' })).status,
    leave: async (id: number, sessionId: string) =>
      (await client.api(path(id, sessionId), { method: 'DELETE' })).status,
  };
}

/** As the operator types it; it gives up soon, and the deletion goes on. */
async function deleteScaleSet({ server }: Scene, name: string, timeout = '30s') {
  const args = ['delete', 'scaleset', name, '--yes', '--timeout', timeout];
  return await runProgram('packages/cli/src/main.ts', args, server.variablesOf('cli'));
}

async function atGitHub({ sim }: Scene, name: string) {
  return (await sim.state()).scaleSets.find((scaleSet) => scaleSet.name === name);
}

function startOne(scene: Scene) {
  const listener = scene.listener('listener-a');
  onTestFailed(() => void process.stderr.write(listener.stderr));
  return listener;
}

async function isConflicted({ status }: Scene, name: string): Promise<void> {
  await eventually(async () => {
    const { state, conflict } = (await status(name)) ?? {};
    expect(state).toBe('conflicted');
    expect(conflict?.ownerText).toContain('somebody-else');
  }, patient);
}

describe('a scale set whose session somebody else holds', () => {
  test('is waited for while others are served, and stays at GitHub when it is deleted here', async () => {
    await using scene = await startScene({ env: impatient });
    const foreigner = await aForeigner(scene);
    const id = await foreigner.createScaleSet('shared');
    const sessionId = await foreigner.openSession(id);
    await scene.declare({ name: 'shared', adopt: true });
    startOne(scene);

    await isConflicted(scene, 'shared');
    await atRest(scene);
    const [job = ''] = await scene.sim.addJobs({ scaleSet: 'linux' });
    await eventually(async () => {
      expect(await scene.facts()).toEqual([`job.assigned ${job}`]);
    }, patient);
    const { code, stderr } = await deleteScaleSet(scene, 'shared');

    expect(code, stderr).toBe(0);
    expect(await atGitHub(scene, 'shared')).toMatchObject({ id, session: { id: sessionId } });
    expect(await foreigner.refresh(id, sessionId)).toBe(200);
  });

  test('is not deleted at GitHub although we created it, until that one has left', async () => {
    await using scene = await startScene({ env: impatient });
    const foreigner = await aForeigner(scene);
    startOne(scene);
    await atRest(scene);
    await scene.declare({ enabled: false });
    await eventually(async () => expect(await scene.session()).toBeUndefined(), patient);
    const id = (await atGitHub(scene, 'linux'))?.id ?? 0;
    const sessionId = await foreigner.openSession(id);

    const refused = await deleteScaleSet(scene, 'linux', '3s');

    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/"linux" is not deleted at GitHub: .*somebody-else/);
    expect(await atGitHub(scene, 'linux')).toMatchObject({ id, session: { id: sessionId } });
    expect(await foreigner.leave(id, sessionId)).toBe(204);
    const { code, stderr } = await deleteScaleSet(scene, 'linux', '100s');
    expect(code, stderr).toBe(0);
    expect(await atGitHub(scene, 'linux')).toBeUndefined();
  });
});
