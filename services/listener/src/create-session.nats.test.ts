import { eventually, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { defaultOpeningPolicy } from './core/decide-session-step.ts';
import { createSession } from './create-session.ts';
import { openSession } from './open-session.ts';
import { aGitHub, type TestGitHub } from './testing/github-bench.ts';
import { aLease, aListener, startServer } from './testing/listener-bench.ts';

let server: TestNats;
let id: string;
let ids = 0;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  ids += 1;
  id = `set-${ids}`;
});

const delayed = (ms: number) => ({ kind: 'delay', ms }) as const;

/** A listener that holds the scale set and is about to create its session. */
async function aHolder(github: TestGitHub, githubScaleSetId: number) {
  const listener = await aListener(server);
  const lease = await aLease(listener, id);
  const claim = await listener.claim(id, lease.signal);
  const abort = new AbortController();
  const deps = { ...listener, client: github.client, claim, lease, abort: abort.signal };
  const target = { githubScaleSetId, ownerName: claim.record.owner };
  return {
    abort,
    start: () => {
      const creating = createSession(deps, target);
      creating.catch(() => undefined);
      return creating;
    },
    open: async () => {
      const opening = { policy: defaultOpeningPolicy, onWait: () => undefined };
      return await openSession({ ...deps, ...opening, cancel: abort.signal }, target);
    },
    /** Somebody else breaks the lease, and its holder notices. */
    loseLease: async () => {
      const { revision = 0 } = (await listener.leases.read(id)) ?? {};
      await listener.leases.break(id, revision);
      await lease.renew().catch(() => undefined);
    },
    record: async () => (await listener.sessions.get(id))?.value,
  };
}

/** Resolves when GitHub has got a request that it delays or leaves unanswered. */
async function untilSent({ control }: TestGitHub) {
  await eventually(async () => {
    expect((await control.state()).faults.map(({ hits }) => hits)).toEqual([1]);
  });
}

describe('createSession', () => {
  test('deletes a session whose lease was lost before GitHub answered: the next one need not wait', async () => {
    const github = await aGitHub();
    const scaleSet = await github.aScaleSet();
    const first = await aHolder(github, scaleSet);
    await github.control.addFault({ route: 'createSession', first: 1, action: delayed(400) });

    const creating = first.start();
    await untilSent(github);
    await first.loseLease();

    await expect(creating).rejects.toThrow('lease lost');
    expect(await github.control.books()).toMatchObject({ sessionsCreated: 1 });
    expect((await github.state())?.session).toBeNull();
    expect((await first.record())?.session).toBeUndefined();
    const next = await aHolder(github, scaleSet);
    expect((await next.open()).how).toBe('created');
    expect(await github.control.books()).toMatchObject({ sessionsCreated: 2, sessionConflicts: 0 });
  });

  test('sends nothing any more when the lease is lost before its turn', async () => {
    const github = await aGitHub();
    const scaleSet = await github.aScaleSet();
    const { start, loseLease } = await aHolder(github, scaleSet);
    const action = { kind: 'status', status: 429, headers: { 'retry-after': '5' } } as const;
    await github.control.addFault({ route: 'createSession', action });
    await expect(github.client.createSession(scaleSet, 'limited')).rejects.toThrow();

    const creating = start();
    await loseLease();

    await expect(creating).rejects.toThrow('lease lost');
    await untilSent(github);
  });

  test('records a session that GitHub gives right after the drain budget was used up', async () => {
    const github = await aGitHub();
    const { start, abort, record } = await aHolder(github, await github.aScaleSet());
    await github.control.addFault({ route: 'createSession', action: delayed(300) });

    const creating = start();
    await untilSent(github);
    abort.abort(new Error('drain budget used up'));

    const { sessionId } = await creating;
    expect((await record())?.session?.sessionId).toBe(sessionId);
  });

  test('is not held up by a delete that hangs when the drain budget is used up', async () => {
    const github = await aGitHub();
    const { start, abort, loseLease } = await aHolder(github, await github.aScaleSet());
    await github.control.addFault({ route: 'createSession', action: delayed(200) });
    const creating = start();
    await untilSent(github);
    await github.control.addFault({ route: 'deleteSession', action: { kind: 'hang' } });
    await loseLease();
    const startedAt = performance.now();
    abort.abort(new Error('drain budget used up'));

    await expect(creating).rejects.toThrow('lease lost');

    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });
});
