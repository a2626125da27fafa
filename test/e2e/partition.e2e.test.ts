import type { JournalEntry } from '@baton/github-sim';
import { eventually, type NatsProxy, startNatsProxy } from '@baton/testkit';
import { describe, expect, onTestFailed, test } from 'vitest';
import { atRest, ownerOf, patient, type Scene, startScene } from './listener-fixture.ts';

const leaseTtlMs = 5_000;

/** Two listeners for one scale set: `a` polls, and reaches NATS through a proxy; `b` stands by. */
async function startPair() {
  await using undo = new AsyncDisposableStack();
  const scene = undo.use(await startScene({ leaseTtlMs }));
  const proxy = undo.use(await startNatsProxy(scene.server.url));
  const a = scene.listener('listener-a', proxy.url);
  await atRest(scene);
  const b = scene.listener('listener-b');
  await scene.joined('listener-b');
  onTestFailed(() => void process.stderr.write(`a:\n${a.stderr}\nb:\n${b.stderr}`));
  // Counts the calls, whoever makes them.
  const deletes = await scene.sim.addFault({
    route: 'deleteMessage',
    action: { kind: 'delay', ms: 0 },
  });
  const owned = undo.move();
  return {
    scene,
    proxy,
    a,
    b,
    /** How often GitHub was asked to delete a message. */
    deletesAsked: async () =>
      (await scene.sim.state()).faults.find(({ id }) => id === deletes)?.seen,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type Pair = Awaited<ReturnType<typeof startPair>>;

async function isTakenOver({ scene }: Pair): Promise<void> {
  await eventually(async () => {
    expect(ownerOf(await scene.record())).toBe('listener-b');
  }, patient);
  await atRest(scene);
}

async function addJob({ sim }: Scene): Promise<string> {
  const [id = ''] = await sim.addJobs({ scaleSet: 'linux' });
  return id;
}

async function isDelivered({ sim }: Scene, times: number): Promise<void> {
  await eventually(async () => {
    const entries = await sim.journal();
    expect(entries.filter(({ event }) => event === 'delivered').length).toBe(times);
  }, patient);
}

/** Each job is known by one fact, each message was deleted by one call, in one session. */
async function expectHandledOnce({ scene, deletesAsked }: Pair, ids: string[]): Promise<void> {
  await eventually(async () => expect(await scene.undeleted()).toBe(0), patient);
  expect(await scene.facts()).toEqual(ids.map((id) => `job.assigned ${id}`).sort());
  const deleted = (await scene.sim.journal()).filter(isDeleted).map(({ messageId }) => messageId);
  expect(deleted).toEqual([...new Set(deleted)]);
  expect(await deletesAsked()).toBe(deleted.length);
  expect(await scene.sim.books()).toMatchObject({ sessionsCreated: 1, sessionConflicts: 0 });
}

function isDeleted({ event }: JournalEntry): boolean {
  return event === 'deleted';
}

/** The one that was out of the world is a listener like any other: it takes over when it is asked to. */
async function expectHealthy({ scene, a, b }: Pair): Promise<void> {
  await scene.joined('listener-a');
  const before = await scene.session();
  b.signal('SIGTERM');
  expect(await b.exited()).toBe(0);
  await eventually(async () => {
    expect(ownerOf(await scene.record())).toBe('listener-a');
  }, patient);
  await atRest(scene);
  expect((await scene.session())?.id).toBe(before?.id);
  a.signal('SIGTERM');
  expect(await a.exited()).toBe(0);
}

describe('a holder that is cut off', () => {
  test('from NATS for longer than the lease, while it polls, does no harm and comes back', async () => {
    await using pair = await startPair();
    const { scene, proxy, a } = pair;
    const epoch = (await scene.record())?.epoch ?? 0;
    const session = (await scene.session())?.id;

    proxy.setMode({ kind: 'partition' });
    const ids = [await addJob(scene)];
    await isDelivered(scene, 1);
    await isTakenOver(pair);
    expect((await scene.session())?.id).toBe(session);
    ids.push(await addJob(scene));
    await eventually(async () => expect(await scene.undeleted()).toBe(0), patient);
    await a.said('lease lost');
    proxy.setMode({ kind: 'pass' });
    await scene.joined('listener-a');
    ids.push(await addJob(scene));

    await expectHandledOnce(pair, ids);
    expect((await scene.record())?.epoch).toBeGreaterThan(epoch);
    expect(ownerOf(await scene.record())).toBe('listener-b');
    await expectHealthy(pair);
  });

  test('between its facts and its record has that record refused, and deletes nothing', async () => {
    await using pair = await startPair();
    const { scene, proxy, a } = pair;

    const held = holdRecord(proxy);
    const ids = [await addJob(scene)];
    const release = await held;
    await isTakenOver(pair);
    await a.said('lease lost');
    release('go on');
    await scene.joined('listener-a');

    await expectHandledOnce(pair, ids);
    expect(ownerOf(await scene.record())).toBe('listener-b');
    await expectHealthy(pair);
  });

  test('by being frozen for longer than the lease fences itself when it is thawed', async () => {
    await using pair = await startPair();
    const { scene, a } = pair;
    const session = (await scene.session())?.id;

    a.signal('SIGSTOP');
    const ids = [await addJob(scene)];
    await isDelivered(scene, 1);
    await isTakenOver(pair);
    expect((await scene.session())?.id).toBe(session);
    a.signal('SIGCONT');
    await a.said('lease lost');
    ids.push(await addJob(scene));

    await expectHandledOnce(pair, ids);
    expect(ownerOf(await scene.record())).toBe('listener-b');
    await expectHealthy(pair);
  });
});

/** Everything that the listener sends from its next session record on stands still. */
async function holdRecord(proxy: NatsProxy) {
  const match = (subject: string) => subject.startsWith('$KV.baton-sessions.');
  return await proxy.holdNext({ match, when: 'before' });
}
