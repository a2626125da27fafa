import { systemClock } from '@baton/shared/time';
import { eventually, startNatsProxy, type TestNats } from '@baton/testkit';
import { expect, onTestFailed, test } from 'vitest';
import { patient, type Scene, startScene } from './listener-fixture.ts';

const slow = { timeoutMs: 60_000, everyMs: 200 };
const scaleSets = Array.from({ length: 30 }, (_, n) => `set-${n}`);
/** So many renewals after the restart are longer than a TTL and the time for which silence proves nothing. */
const renewals = 4;

type ByName = Map<string, unknown>;

/** Asks for every scale set. */
async function forAll(ask: (name: string) => Promise<unknown>): Promise<ByName> {
  const answers = await Promise.all(
    scaleSets.map(async (name) => [name, await ask(name)] as const),
  );
  return new Map(answers);
}

/** Who holds each scale set, under which epoch, with which session. */
async function ownership({ lease, record }: Scene): Promise<ByName> {
  return await forAll(async (name) => {
    const claim = await record(name);
    return {
      lease: await lease(name),
      owner: claim?.owner,
      epoch: claim?.epoch,
      session: claim?.session?.sessionId,
    };
  });
}

/** Resolves when every lease was renewed once more. */
async function renewed({ leaseRevision }: Scene): Promise<void> {
  // The test's own connection has to come back first.
  const before = await eventually(() => forAll(leaseRevision), slow);
  await eventually(async () => {
    const now = await forAll(leaseRevision);
    const same = scaleSets.filter((name) => now.get(name) === before.get(name));
    expect(same).toEqual([]);
  }, slow);
}

/** One job for each scale set. */
async function addJobs({ sim }: Scene): Promise<string[]> {
  const added = await Promise.all(scaleSets.map((scaleSet) => sim.addJobs({ scaleSet })));
  return added.flat();
}

const ends: [string, (server: TestNats) => Promise<void>][] = [
  ['killed', (server) => server.kill()],
  ['stopped', (server) => server.stop()],
];

test.each(ends)(
  'ten listeners keep all thirty scale sets when NATS is %s and comes back, for one of them later than for the others',
  async (_how, end) => {
    await using scene = await startScene({
      scaleSets,
      env: { BATON_REBALANCE_AFTER_MS: '600000', BATON_LOG_LEVEL: 'warn' },
    });
    // The first one comes back after the others, who find it silent and must not take it for dead.
    await using proxy = await startNatsProxy(scene.server.url);
    const urls = [proxy.url, ...Array.from({ length: 9 }, () => scene.server.url)];
    const listeners = urls.map((url, n) => scene.listener(`listener-${n}`, url));
    onTestFailed(() => {
      for (const { stderr } of listeners) process.stderr.write(stderr);
    });
    await Promise.all(listeners.map((_, n) => scene.joined(`listener-${n}`)));
    const held = async () => (await scene.sim.state()).pollsHeld;
    await eventually(async () => expect(await held()).toBe(scaleSets.length), slow);
    const before = await ownership(scene);

    await end(scene.server);
    const ids = await addJobs(scene);
    await systemClock.sleep(1_000);
    proxy.setMode({ kind: 'partition' });
    await scene.server.startAgain();
    await systemClock.sleep(1_500);
    proxy.setMode({ kind: 'pass' });
    for (let n = 0; n < renewals; n += 1) await renewed(scene);

    expect(await ownership(scene)).toEqual(before);
    const books = await scene.sim.books();
    expect(books).toMatchObject({ sessionsCreated: scaleSets.length, sessionConflicts: 0 });
    const facts = async () => [...(await forAll(scene.facts)).values()].flat();
    await eventually(async () => {
      expect(new Set(await facts())).toEqual(new Set(ids.map((id) => `job.assigned ${id}`)));
    }, patient);
    expect(await facts()).toHaveLength(ids.length);
    await eventually(async () => {
      expect([...(await forAll(scene.undeleted)).values()]).toEqual(scaleSets.map(() => 0));
    }, patient);
    for (const listener of listeners) listener.signal('SIGTERM');
    expect(await Promise.all(listeners.map((listener) => listener.exited()))).toEqual(
      listeners.map(() => 0),
    );
  },
);
