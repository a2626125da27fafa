import { eventually } from '@baton/testkit';
import { describe, expect, onTestFailed, test } from 'vitest';
import { atRest, ownerOf, patient, startScene } from './listener-fixture.ts';

/** More than a listener closes at once. */
const scaleSets = Array.from({ length: 40 }, (_, n) => `set-${n}`);
const manySets = { scaleSets, env: { BATON_DRAIN_TIMEOUT_MS: '8000' } };

/** One that polls them all. */
async function aListenerOfAll(scene: Awaited<ReturnType<typeof startScene>>) {
  const first = scene.listener('listener-a');
  onTestFailed(() => void process.stderr.write(first.stderr));
  const held = async () => (await scene.sim.state()).pollsHeld;
  await eventually(async () => expect(await held()).toBe(scaleSets.length), patient);
  return { first, held };
}

describe('listeners without anybody to hand over to', () => {
  test('that are stopped together close all sessions', async () => {
    const scaleSets = Array.from({ length: 10 }, (_, n) => `set-${n}`);
    await using scene = await startScene({ scaleSets });
    const both = ['listener-a', 'listener-b'].map((name) => scene.listener(name));
    const held = async () => (await scene.sim.state()).pollsHeld;
    for (const name of ['listener-a', 'listener-b']) await scene.joined(name);
    await eventually(async () => expect(await held()).toBe(scaleSets.length), patient);

    for (const listener of both) listener.signal('SIGTERM');
    expect(await Promise.all(both.map((listener) => listener.exited()))).toEqual([0, 0]);

    const { scaleSets: atGitHub } = await scene.sim.state();
    expect(atGitHub.filter(({ session }) => session).map(({ name }) => name)).toEqual([]);
  });

  test('one whose peer was killed just before closes its session', async () => {
    await using scene = await startScene();
    const names = ['listener-a', 'listener-b'];
    const listeners = new Map(names.map((name) => [name, scene.listener(name)]));
    for (const name of names) await scene.joined(name);
    await atRest(scene);
    const since = performance.now();
    // Until then silence may come from a reconnect.
    await eventually(() => expect(performance.now() - since).toBeGreaterThan(6_500), patient);
    const holder = ownerOf(await scene.record()) ?? '';
    const peer = names.find((name) => name !== holder) ?? '';

    listeners.get(peer)?.signal('SIGKILL');
    await listeners.get(peer)?.exited();
    listeners.get(holder)?.signal('SIGTERM');

    expect(await listeners.get(holder)?.exited()).toBe(0);
    expect(await scene.session()).toBeUndefined();
  });
});

/** The process ends itself with 1 when its budget is used up: 0 proves that it kept to it. */
describe('a listener that is stopped while GitHub does not answer the delete of its session', () => {
  test('exits 0 in its drain budget, and its successor resumes the session', async () => {
    await using scene = await startScene({ env: { BATON_DRAIN_TIMEOUT_MS: '10000' } });
    const first = scene.listener('listener-a');
    onTestFailed(() => void process.stderr.write(first.stderr));
    await atRest(scene);
    const session = (await scene.session())?.id;
    const fault = await scene.sim.addFault({ route: 'deleteSession', action: { kind: 'hang' } });

    first.signal('SIGTERM');
    expect(await first.exited()).toBe(0);
    const { faults } = await scene.sim.state();
    expect(faults.find(({ id }) => id === fault)?.hits).toBe(1);
    expect((await scene.session())?.held).toBe(false);
    scene.listener('listener-b');

    await eventually(async () => {
      expect(ownerOf(await scene.record())).toBe('listener-b');
    }, patient);
    await atRest(scene);
    expect((await scene.session())?.id).toBe(session);
    expect(await scene.sim.books()).toMatchObject({ sessionsCreated: 1, sessionConflicts: 0 });
  });

  test('exits 0 in its drain budget also with more scale sets than it closes at once', async () => {
    await using scene = await startScene(manySets);
    const { first, held } = await aListenerOfAll(scene);
    await scene.sim.addFault({ route: 'deleteSession', action: { kind: 'hang' } });

    first.signal('SIGTERM');
    expect(await first.exited()).toBe(0);
    expect(await held()).toBe(0);
    scene.listener('listener-b');

    await eventually(async () => expect(await held()).toBe(scaleSets.length), patient);
    const { sessionsCreated } = await scene.sim.books();
    expect(sessionsCreated).toBe(scaleSets.length);
  });
});

describe('a listener that is stopped while NATS is away', () => {
  test('exits 0 in its drain budget, says what it could not do, and its successor resumes all sessions', async () => {
    await using scene = await startScene(manySets);
    const { first, held } = await aListenerOfAll(scene);
    await scene.server.kill();

    first.signal('SIGTERM');
    expect(await first.exited()).toBe(0);
    const told = first.stderr.match(/"level":"(warn|error)".*"msg":"nats .*"/g)?.map(message);
    await scene.server.startAgain();
    scene.listener('listener-b');

    expect(told).toEqual([
      'nats connection lost',
      'nats is away: nothing was handed over, leases run out and sessions stay with their records',
    ]);
    expect(first.stderr).toContain('service drained');
    expect(first.stderr).not.toMatch(/ {4}at /);
    await eventually(async () => expect(await held()).toBe(scaleSets.length), patient);
    expect(await scene.sim.books()).toMatchObject({ sessionsCreated: scaleSets.length });
  });
});

function message(line: string): string {
  return /"msg":"(.*)"/.exec(line)?.[1] ?? line;
}
