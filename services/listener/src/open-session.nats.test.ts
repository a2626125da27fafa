import { eventually, recordSpans, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { OpeningPolicy } from './core/decide-session-step.ts';
import { type OpeningWait, openSession } from './open-session.ts';
import { aGitHub, type TestGitHub } from './testing/github-bench.ts';
import { aLease, aListener, startServer, type TestListener } from './testing/listener-bench.ts';

const policy: OpeningPolicy = {
  unavailable: { baseMs: 20, maxMs: 20 },
  conflictEarly: { baseMs: 20, maxMs: 20 },
  conflictEarlyMs: 60_000,
  conflictLate: { baseMs: 20, maxMs: 20 },
  replacementMaxMs: 20,
};

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

/** A listener that holds the lease and the claim of a scale set at this GitHub. */
async function anOpening(github: TestGitHub) {
  const listener = await aListener(server);
  const lease = await aLease(listener, id);
  const claim = await listener.claim(id, lease.signal);
  const githubScaleSetId = await github.aScaleSet();
  const waits: OpeningWait[] = [];
  const cancel = new AbortController();
  const abort = new AbortController();
  const open = () =>
    openSession(
      {
        ...listener,
        client: github.client,
        claim,
        lease,
        policy,
        cancel: cancel.signal,
        abort: abort.signal,
        onWait: (wait) => void waits.push(wait),
      },
      { githubScaleSetId, ownerName: 'baton-test-listener-0' },
    );
  /** Writes into the record that this session is ours. */
  const remember = (sessionId: string) =>
    claim.write((record) => ({
      ...record,
      session: { sessionId, ownerName: 'x', openedAt: '2026-01-01T00:00:00Z' },
    }));
  return { listener, lease, claim, githubScaleSetId, waits, cancel, abort, open, remember };
}

const recordOf = async ({ sessions }: TestListener) => (await sessions.get(id))?.value;

describe('openSession', () => {
  test('creates one when the record has none, and records it', async () => {
    const github = await aGitHub();
    const { listener, open } = await anOpening(github);

    const { session, how } = await open();

    expect(how).toBe('created');
    expect((await github.state())?.session?.id).toBe(session.sessionId);
    expect((await recordOf(listener))?.session).toMatchObject({
      sessionId: session.sessionId,
      ownerName: 'baton-test-listener-0',
    });
  });

  test('resumes the session of the record, which GitHub does not notice', async () => {
    const github = await aGitHub();
    const { githubScaleSetId, open, remember } = await anOpening(github);
    const before = await github.client.createSession(githubScaleSetId, 'earlier');
    await remember(before.sessionId);

    const { session, how } = await open();

    expect(how).toBe('resumed');
    expect(session.sessionId).toBe(before.sessionId);
    expect((await github.control.books()).sessionsCreated).toBe(1);
  });

  test.each(['404', '400'] as const)(
    'creates one when that of the record is gone, said with %s',
    async (endedSessionAnswer) => {
      const github = await aGitHub({ endedSessionAnswer });
      const { listener, githubScaleSetId, open, remember } = await anOpening(github);
      const before = await github.client.createSession(githubScaleSetId, 'earlier');
      await remember(before.sessionId);
      await github.control.evictSession('linux');

      const { session, how } = await open();

      expect(how).toBe('created');
      expect(session.sessionId).not.toBe(before.sessionId);
      expect((await recordOf(listener))?.session?.sessionId).toBe(session.sessionId);
    },
  );

  test('takes over the session of the record when it may not be resumed', async () => {
    const github = await aGitHub();
    const { githubScaleSetId, open, remember } = await anOpening(github);
    const before = await github.client.createSession(githubScaleSetId, 'earlier');
    await remember(before.sessionId);
    const action = { kind: 'status', status: 403, body: '{"message":"not yours"}' } as const;
    await github.control.addFault({ route: 'refreshSession', action });

    const { session, how } = await open();

    expect(how).toBe('taken over');
    expect((await github.state())?.session?.id).toBe(session.sessionId);
    expect(session.sessionId).not.toBe(before.sessionId);
  });

  test.each(['type-name-and-owner', 'message-only'] as const)(
    'waits out a session that is not in the record, refused by %s',
    async (conflictWording) => {
      const github = await aGitHub({ conflictWording, sessionExpiryMs: 300 });
      const { githubScaleSetId, waits, open } = await anOpening(github);
      await github.client.createSession(githubScaleSetId, 'somebody-else');

      const { session, how } = await open();

      expect(how).toBe('waited out');
      expect((await github.state())?.session?.id).toBe(session.sessionId);
      expect(waits.length).toBeGreaterThan(1);
      expect(waits.at(-1)).toMatchObject({
        answer: { call: 'create', result: 'conflict' },
        attempts: waits.length,
        ownerText: conflictWording === 'message-only' ? undefined : 'somebody-else',
        nextAttemptInMs: 10,
      });
    },
  );

  test('is traced as one span for each kind of call, however often it is made', async () => {
    const github = await aGitHub();
    const { waits, open, remember } = await anOpening(github);
    await remember('00000000-0000-4000-8000-000000000000');
    const typeName = 'GitHub.Actions.Runtime.WebApi.RunnerScaleSetSessionConflictException';
    const body = JSON.stringify({ typeName, message: 'linux already has an active session.' });
    const action = { kind: 'status', status: 409, body } as const;
    await github.control.addFault({ route: 'createSession', first: 3, action });
    using spans = recordSpans();

    await open();

    expect(waits).toHaveLength(3);
    expect(spans.told.map(({ name }) => name)).toEqual(['resume session', 'create session']);
    expect(spans.the('resume session')).toMatchObject({
      attributes: { 'baton.attempts': 1 },
      events: [{ name: 'gone' }],
    });
    expect(spans.the('create session')).toMatchObject({
      attributes: { 'baton.attempts': 4 },
      events: [{ name: 'conflict' }],
      error: undefined,
    });
  });

  test('never deletes a session that is not in the record', async () => {
    const github = await aGitHub({ sessionExpiryMs: 60_000 });
    const { githubScaleSetId, lease, waits, open } = await anOpening(github);
    const foreign = await github.client.createSession(githubScaleSetId, 'somebody-else');

    const opening = open();
    opening.catch(() => undefined);
    await eventually(() => expect(waits.length).toBeGreaterThan(5));
    await lease.release();

    await expect(opening).rejects.toThrow('released');
    expect((await github.state())?.session?.id).toBe(foreign.sessionId);
  });

  test('waits out a session that GitHub said was gone', async () => {
    const github = await aGitHub({ sessionExpiryMs: 200 });
    const { githubScaleSetId, open, remember } = await anOpening(github);
    await remember('00000000-0000-0000-0000-000000000000');
    await github.client.createSession(githubScaleSetId, 'somebody-else');

    expect((await open()).how).toBe('waited out');
  });

  test('deletes what GitHub opened without a queue, and tries again', async () => {
    const github = await aGitHub();
    const { githubScaleSetId, waits, open } = await anOpening(github);
    const opened = await github.client.createSession(githubScaleSetId, 'baton-test-listener-0');
    const body = JSON.stringify({ sessionId: opened.sessionId, messageQueueUrl: '' });
    const action = { kind: 'status', status: 200, body } as const;
    await github.control.addFault({ route: 'createSession', first: 1, action });

    const { session, how } = await open();

    expect(how).toBe('created');
    expect(session.sessionId).not.toBe(opened.sessionId);
    expect(waits).toMatchObject([{ answer: { call: 'create', result: 'unavailable' } }]);
  });

  test('goes on with the same step through an outage', async () => {
    const github = await aGitHub();
    const { githubScaleSetId, waits, open, remember } = await anOpening(github);
    const before = await github.client.createSession(githubScaleSetId, 'earlier');
    await remember(before.sessionId);
    const action = { kind: 'status', status: 503 } as const;
    await github.control.addFault({ route: 'refreshSession', first: 3, action });

    const { how } = await open();

    expect(how).toBe('resumed');
    expect(waits.map(({ answer }) => answer)).toMatchObject(
      Array(3).fill({ call: 'resume', result: 'unavailable' }),
    );
  });

  test('closes what it opened when the claim was lost in the meantime', async () => {
    const github = await aGitHub();
    const { open } = await anOpening(github);
    await (await aListener(server)).claim(id);

    await expect(open()).rejects.toMatchObject({ code: 'conflict' });

    expect((await github.state())?.session).toBeNull();
  });

  test('asks GitHub nothing without the lease', async () => {
    const github = await aGitHub();
    const { listener, open } = await anOpening(github);
    const { revision = 0 } = (await listener.leases.read(id)) ?? {};
    await listener.leases.break(id, revision);

    await expect(open()).rejects.toThrow('lease lost');

    expect((await github.control.books()).sessionsCreated).toBe(0);
  });

  test('stops waiting for a session that is not wanted any more', async () => {
    const github = await aGitHub();
    const { githubScaleSetId, waits, cancel, open } = await anOpening(github);
    await github.client.createSession(githubScaleSetId, 'somebody-else');
    const reason = new Error('disabled');

    const opening = open();
    opening.catch(() => undefined);
    await eventually(() => expect(waits.length).toBeGreaterThan(0));
    cancel.abort(reason);

    await expect(opening).rejects.toBe(reason);
  });

  test('finishes a call that may have opened one, so that no session is left unknown', async () => {
    const github = await aGitHub();
    const { listener, cancel, open } = await anOpening(github);
    const action = { kind: 'delay', ms: 150 } as const;
    const fault = await github.control.addFault({ route: 'createSession', action });
    const struck = async () =>
      (await github.control.state()).faults.find(({ id: known }) => known === fault)?.hits;

    const opening = open();
    await eventually(async () => expect(await struck()).toBe(1));
    cancel.abort(new Error('disabled'));

    const { session } = await opening;
    expect((await recordOf(listener))?.session?.sessionId).toBe(session.sessionId);
  });

  test('ends a call when the time to drain is used up', async () => {
    const github = await aGitHub();
    const { abort, open } = await anOpening(github);
    await github.control.addFault({ route: 'createSession', action: { kind: 'hang' } });
    const reason = new Error('drain budget used up');

    const opening = open();
    opening.catch(() => undefined);
    await eventually(async () => {
      expect((await github.control.state()).faults.map(({ hits }) => hits)).toEqual([1]);
    });
    abort.abort(reason);

    await expect(opening).rejects.toBe(reason);
  });

  test('says so when the scale set is gone', async () => {
    const github = await aGitHub();
    const { open } = await anOpening(github);
    await github.control.deleteScaleSet('linux');

    await expect(open()).rejects.toMatchObject({ kind: 'scale-set-not-found' });
  });
});
