import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { takeIdentity } from '@baton/shared/lease';
import { openLeases, openPlans, openSessions, openSpecs, openStatus } from '@baton/shared/stores';
import {
  aPlan,
  aSpec,
  eventually,
  startTestNats,
  startTestProcess,
  startTestSimulator,
  type TestNats,
} from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

let server: TestNats;
let dir: string;
beforeAll(async () => {
  server = await startTestNats();
  dir = await mkdtemp(join(tmpdir(), 'baton-listener-'));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

function startListener(env: Record<string, string>) {
  const child = startTestProcess(main, {
    env: { BATON_HEALTH_HOST: '127.0.0.1', BATON_HEALTH_PORT: '0', ...env },
  });
  onTestFinished(() => child[Symbol.asyncDispose]());
  return child;
}

/** A GitHub, and the variables of a listener for it. */
async function aGitHub() {
  const sim = await startTestSimulator();
  onTestFinished(() => sim[Symbol.asyncDispose]());
  const credentials = await sim.writeCredentials(dir);
  const env = { ...server.variablesOf('listener'), BATON_CREDENTIALS_FILE: credentials };
  return { sim, env };
}

/** Declares the scale set `linux` with room for ten runners. */
async function declare(configUrl: string, enabled = true) {
  const specs = await openSpecs(await server.connect('admin'));
  const plans = await openPlans(await server.connect('provisioner'));
  const updatedAt = new Date().toISOString();
  const spec = aSpec({ declaration: { configUrl, enabled }, updatedAt });
  await specs.put(spec.scaleSetId, spec);
  await plans.put(spec.scaleSetId, aPlan({ free: 10, freeAt: updatedAt }));
  return spec.scaleSetId;
}

/** A process starts in more than five seconds where others want the CPU. */
const patient = { timeoutMs: 30_000 };

describe('the listener process', () => {
  test('names every variable that is missing, in one message, and ends with 78', async () => {
    const child = startListener({});

    expect(await child.exited()).toBe(78);
    expect(child.stderr).toMatch(/^listener: the configuration cannot be used:\n/);
    expect(child.stderr).toMatch(
      /BATON_NATS_USER: is not set.*BATON_CREDENTIALS_FILE: is not set/s,
    );
    expect(child.stderr).not.toContain('    at ');
  });

  test('ends with 69 when NATS cannot be reached in time', async () => {
    const { env } = await aGitHub();
    const startedAt = performance.now();

    const child = startListener({
      ...env,
      BATON_NATS_URL: 'nats://127.0.0.1:1',
      BATON_NATS_CONNECT_TIMEOUT_MS: '300',
    });

    expect(await child.exited()).toBe(69);
    expect(child.stderr).toContain('\nlistener: NATS at nats://127.0.0.1:1 cannot be reached');
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  test('ends with 78 when the buckets belong to another installation', async () => {
    const { env } = await aGitHub();

    const child = startListener({ ...env, BATON_INSTALLATION_ID: 'other' });

    expect(await child.exited()).toBe(78);
    expect(child.stderr).toContain('these NATS buckets belong to installation "test"');
  });

  test('opens a session, and closes it when it is stopped and no other listener lives', async () => {
    const { sim, env } = await aGitHub();
    const id = await declare(sim.configUrl);
    const sessions = await openSessions(await server.connect('admin'));
    const statuses = await openStatus(await server.connect('admin'));
    const child = startListener({ ...env, BATON_INSTANCE: 'listener-0' });
    await eventually(async () => expect((await sim.control.state()).pollsHeld).toBe(1), patient);
    const open = (await sessions.get(id))?.value.session?.sessionId;

    child.signal('SIGTERM');

    expect(await child.exited()).toBe(0);
    expect(open).toBeDefined();
    const [set] = (await sim.control.state()).scaleSets;
    expect(set?.session).toBeNull();
    expect((await sessions.get(id))?.value.session).toBeUndefined();
    expect((await statuses.get(id))?.value).toMatchObject({ state: 'waiting' });
  });

  test('a second process of the same identity ends with 78 and disturbs nothing', async () => {
    const { sim, env } = await aGitHub();
    const id = await declare(sim.configUrl);
    const sessions = await openSessions(await server.connect('admin'));
    const first = startListener({ ...env, BATON_INSTANCE: 'listener-0' });
    await eventually(async () => expect((await sim.control.state()).pollsHeld).toBe(1), patient);
    // Lines are written together.
    await eventually(() => expect(first.stderr).toContain('"how":"created"'), patient);
    const before = (await sessions.get(id))?.value;
    const said = first.stderr;

    const second = startListener({ ...env, BATON_INSTANCE: 'listener-0' });

    expect(await second.exited()).toBe(78);
    expect(second.stderr.split('\n').filter((line) => !line.startsWith('{'))).toEqual([
      'listener: another living listener uses the identity "listener-0": give each process its own BATON_INSTANCE',
      '',
    ]);
    expect((await sessions.get(id))?.value).toMatchObject({
      epoch: before?.epoch,
      session: before?.session,
    });
    expect(first.stderr).toBe(said);
  });

  test('is refused before it takes a scale set that is free', async () => {
    const { sim, env } = await aGitHub();
    const id = await declare(sim.configUrl);
    const admin = await server.connect('admin');
    const [sessions, leases] = [await openSessions(admin), await openLeases(admin)];
    const held = await leases.get(id);
    if (held) await leases.delete(id, held.revision);
    const before = { session: await sessions.lookup(id), lease: await leases.lookup(id) };
    await takeIdentity(await server.connect('listener'), 'listener', 'listener-7');

    const second = startListener({ ...env, BATON_INSTANCE: 'listener-7' });

    expect(await second.exited()).toBe(78);
    expect({ session: await sessions.lookup(id), lease: await leases.lookup(id) }).toEqual(before);
    expect(await sim.control.books()).toMatchObject({ sessionsCreated: 0 });
  });

  test('a disabled scale set loses its session in seconds and gets it back', async () => {
    const { sim, env } = await aGitHub();
    await declare(sim.configUrl);
    startListener({ ...env, BATON_INSTANCE: 'listener-0' });
    const polls = async () => (await sim.control.state()).pollsHeld;
    const session = async () => (await sim.control.state()).scaleSets[0]?.session;
    await eventually(async () => expect(await polls()).toBe(1), patient);

    await declare(sim.configUrl, false);
    (await server.connect('admin')).connection.publish('baton.v1.hint.spec.linux');
    await eventually(async () => expect(await session()).toBeNull());
    await declare(sim.configUrl, true);
    (await server.connect('admin')).connection.publish('baton.v1.hint.spec.linux');

    await eventually(async () => expect(await polls()).toBe(1));
  });
});
