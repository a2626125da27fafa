import { readFile, rename, writeFile } from 'node:fs/promises';
import { systemClock } from '@baton/shared/time';
import { eventually, type TestProcess } from '@baton/testkit';
import { describe, expect, onTestFailed, test } from 'vitest';
import { patient, type Scene, startScene } from './listener-fixture.ts';

const seconds = { timeoutMs: 8_000, everyMs: 50 };
const refusal = 'scale set cannot be served';

/** Two listeners of which neither can serve `linux`; resolves when one keeps it. */
async function startPair(scene: Scene) {
  const listeners = ['listener-a', 'listener-b'].map((name) => scene.listener(name));
  onTestFailed(() => {
    for (const { stderr } of listeners) process.stderr.write(`${stderr}\n`);
  });
  for (const listener of listeners) await listener.said(refusal);
  await holderStays(scene);
  return listeners;
}

/** One of them holds it for five seconds: longer than the first waits. */
async function holderStays(scene: Scene): Promise<void> {
  await eventually(
    async () => {
      const { incarnation } = (await scene.lease()) ?? {};
      expect(incarnation).toBeDefined();
      for (let look = 0; look < 50; look += 1) {
        await systemClock.sleep(100);
        expect((await scene.lease())?.incarnation).toBe(incarnation);
      }
    },
    { timeoutMs: 60_000 },
  );
}

/** Whoever holds it does not try again for ten seconds or more. */
async function untilPatient(listeners: TestProcess[]): Promise<void> {
  await eventually(
    () => {
      const last = listeners.flatMap(({ stderr }) => stderr.match(/"waitMs":\d{5}/g) ?? []);
      expect(last.length).toBeGreaterThan(0);
    },
    { timeoutMs: 90_000 },
  );
}

async function isPolled(scene: Scene): Promise<void> {
  await eventually(async () => expect((await scene.session())?.held).toBe(true), seconds);
}

describe('a scale set that no listener can serve', () => {
  test('stays with one of them, which serves it as soon as its declaration is applied again', async () => {
    await using scene = await startScene();
    await scene.declare({ group: 'production' });
    const listeners = await startPair(scene);
    await untilPatient(listeners);
    await eventually(async () => {
      const { state, reason } = (await scene.status()) ?? {};
      expect(state).toBe('failed');
      expect(reason).toContain('production');
    }, patient);
    const holder = (await scene.lease())?.identity;

    await scene.sim.setRegistry({ runnerGroups: ['production'] });
    await scene.declare({ group: 'production' });

    await isPolled(scene);
    expect((await scene.lease())?.identity).toBe(holder);
  });

  test('is served as soon as the credentials file has the right token', async () => {
    await using scene = await startScene();
    await scene.sim.replaceToken('rotated');
    const listeners = await startPair(scene);
    await untilPatient(listeners);

    const text = await readFile(scene.credentialsFile, 'utf8');
    const changed = text.replace(/"token":"[^"]*"/, '"token":"rotated"');
    await writeFile(`${scene.credentialsFile}.new`, changed, { mode: 0o600 });
    await rename(`${scene.credentialsFile}.new`, scene.credentialsFile);
    for (const listener of listeners) await listener.said('credentials changed');

    await isPolled(scene);
  });
});
