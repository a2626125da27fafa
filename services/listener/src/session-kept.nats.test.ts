import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { aServedSet } from './testing/served-bench.ts';

const patient = { timeoutMs: 15_000 };
const unavailable = { kind: 'status', status: 503 } as const;
/** Counts the requests to a route without changing an answer. */
const counting = { kind: 'delay', ms: 0 } as const;
/** Of a message of its own that makes one fact. */
const assignment = (jobId: string) => ({ entries: [{ messageType: 'JobAssigned', jobId }] });

describe('a session whose polls fail', () => {
  test('is kept, with its position, through empty 200s, 502s, resets and truncated answers', async () => {
    const set = await aServedSet();
    const { control } = set;
    const before = await set.session();
    // Stays at GitHub: whoever reads from the start again gets it again.
    await control.addFault({ id: 'delete', route: 'deleteMessage', action: unavailable });
    await control.play('linux', assignment('a'));
    await set.untilFacts('job.assigned a');

    for (const [id, action] of [
      ['empty', { kind: 'empty200' }],
      ['502', { kind: 'status', status: 502 }],
      ['reset', { kind: 'drop', when: 'before-headers' }],
    ] as const) {
      await control.addFault({ id, route: 'getMessage', first: 3, action });
      await eventually(async () => expect(await set.struck(id)).toBe(3), patient);
      await eventually(async () => expect((await set.session())?.held).toBe(true), patient);
    }
    expect((await control.books()).messagesRedelivered).toBe(0);
    const truncated = { kind: 'truncate' } as const;
    await control.addFault({ id: 'cut', route: 'getMessage', first: 2, action: truncated });
    await control.play('linux', assignment('b'));
    await set.untilFacts('job.assigned a', 'job.assigned b');

    // The message that came in pieces, and no other.
    const { messagesRedelivered, sessionsCreated } = await control.books();
    expect(messagesRedelivered).toBeLessThanOrEqual(2);
    expect(sessionsCreated).toBe(1);
    expect((await set.session())?.id).toBe(before?.id);
    await control.clearFaults();
    await set.untilEmpty();
    await set.untilFacts('job.assigned a', 'job.assigned b');
    expect(set.hasEnded()).toBe(false);
  });
});

describe('a session that GitHub evicts', () => {
  test('is replaced in place, and what was published is not published again', async () => {
    const set = await aServedSet();
    const { control } = set;
    const before = await set.session();
    await control.addFault({ id: 'delete', route: 'deleteMessage', action: unavailable });
    await control.play('linux', assignment('a'));
    await set.untilFacts('job.assigned a');
    await control.addFault({ id: 'create', route: 'createSession', action: counting });

    await control.evictSession('linux');
    await eventually(async () => {
      const now = await set.session();
      expect(now?.held).toBe(true);
      expect(now?.id).not.toBe(before?.id);
    }, patient);
    await control.clearFaults('delete');

    await control.play('linux', assignment('b'));
    await set.untilEmpty();
    await set.untilFacts('job.assigned a', 'job.assigned b');
    expect(await set.asked('create')).toBe(1);
    expect(set.hasEnded()).toBe(false);
    expect((await set.events()).map(({ type }) => type)).toEqual([
      'scale-set.registered',
      'session.opened',
      'session.ended',
      'session.opened',
    ]);
  });

  test('leaves no demand that is later than those of the session after it', async () => {
    const { control, record, session, untilEmpty } = await aServedSet();
    const before = await session();
    for (const job of ['a', 'b', 'c']) {
      await control.play('linux', assignment(job));
      await untilEmpty();
    }
    const demand = (await record())?.demand;

    await control.evictSession('linux');

    await eventually(async () => {
      expect((await session())?.id).not.toBe(before?.id);
      const { epoch, seq } = (await record())?.demand ?? {};
      expect({ epoch, seq }).toEqual({ epoch: demand?.epoch, seq: (demand?.seq ?? 0) + 1 });
    }, patient);
  });
});
