import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scaleSetIdOf } from '@baton/shared/contracts';
import { openRegistrations, openRunners } from '@baton/shared/stores';
import { eventually, installationId, startTestProcess } from '@baton/testkit';
import { expect, onTestFailed, test } from 'vitest';
import { patient, startScene } from './listener-fixture.ts';

const runScript = fileURLToPath(new URL('../../packages/github-sim/bin/run.sh', import.meta.url));

function mainOf(service: string): string {
  return fileURLToPath(new URL(`../../services/${service}/src/main.ts`, import.meta.url));
}

/** Provisioner and janitor of two hosts, each with a provider of its own under the same name. */
async function twoHosts(scene: Awaited<ReturnType<typeof startScene>>) {
  const hosts = ['east', 'west'];
  const started = new AsyncDisposableStack();
  for (const hostId of hosts) {
    const directory = join(scene.server.dir, hostId);
    await mkdir(directory);
    const env = { BATON_NODE: process.execPath };
    const local = {
      type: 'process',
      directory,
      command: [runScript],
      hostId,
      env,
      stopTimeoutMs: 500,
    };
    const providersFile = join(scene.server.dir, `${hostId}.yaml`);
    await writeFile(providersFile, JSON.stringify({ providers: { local } }));
    for (const service of ['provisioner', 'janitor'] as const) {
      const child = started.use(
        startTestProcess(mainOf(service), {
          env: {
            ...scene.server.variablesOf(service),
            BATON_CREDENTIALS_FILE: scene.credentialsFile,
            BATON_PROVIDERS_FILE: providersFile,
            BATON_INSTANCE: `${service}-${hostId}`,
            BATON_HEALTH_HOST: '127.0.0.1',
            BATON_HEALTH_PORT: '0',
          },
        }),
      );
      onTestFailed(() => void process.stderr.write(child.stderr));
    }
  }
  const on = async (hostId: string) => {
    const names = await readdir(join(scene.server.dir, hostId, installationId)).catch(() => []);
    return names.filter((name) => !name.startsWith('.'));
  };
  return { hosts, on, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

test('services of two hosts share the work, and none touches what is on the other', async () => {
  await using scene = await startScene();
  const scaleSetId = scaleSetIdOf('linux');
  const admin = await scene.server.connect('admin');
  const [runners, registrations] = [await openRunners(admin), await openRegistrations(admin)];
  scene.listener('listener-a');
  await eventually(async () => {
    expect((await registrations.get(scaleSetId))?.value.github?.scaleSetId).toBeDefined();
  }, patient);
  await using places = await twoHosts(scene);
  const records = async () => (await runners.list(scaleSetId)).map(({ value }) => value);

  await scene.sim.addJobs({ scaleSet: 'linux', count: 8, durationMs: 1_500 });

  // Every record that has an instance names the host on which the instance is.
  await eventually(async () => {
    const found = await Promise.all(places.hosts.map(places.on));
    expect(found.flat().length).toBeGreaterThan(0);
    const hostOf = new Map((await records()).map(({ runnerId, hostId }) => [runnerId, hostId]));
    places.hosts.forEach((hostId, n) => {
      for (const runnerId of found[n] ?? [])
        expect([hostId, undefined]).toContain(hostOf.get(runnerId));
    });
  }, patient);
  await eventually(async () => expect((await scene.sim.books()).jobs.completed).toBe(8), patient);
  await eventually(async () => {
    expect(await records()).toEqual([]);
    expect((await Promise.all(places.hosts.map(places.on))).flat()).toEqual([]);
    expect((await scene.sim.books()).registrations).toEqual([]);
  }, patient);
  expect(await scene.sim.books()).toMatchObject({ lostJobs: 0, duplicateRunners: 0 });
});
