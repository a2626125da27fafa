import { streams } from '@baton/shared/contracts';
import { parseTraceparent } from '@baton/shared/telemetry';
import { eventually, type RecordedSpan, recordSpans, storedMessages } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { aServedSet } from './testing/served-bench.ts';

const patient = { timeoutMs: 15_000 };
const traceOf = (traceparent: string | undefined) => parseTraceparent(traceparent)?.traceId;
const namesOf = (spans: readonly RecordedSpan[]) => spans.map(({ name }) => name).toSorted();

/** A scale set that is served and traced, from its first session on. */
async function aTracedSet(options: Parameters<typeof aServedSet>[0] = {}) {
  const spans = recordSpans();
  const set = await aServedSet(options);
  return { ...set, spans, [Symbol.dispose]: () => spans[Symbol.dispose]() };
}

describe('the trace of a message', () => {
  test('begins with the poll, which its facts, its demand and the record carry on', async () => {
    using set = await aTracedSet();
    const { spans, control, untilFacts, untilEmpty, nats, scaleSetId } = set;
    const askedAt = Date.now();
    const [job] = await control.addJobs({ scaleSet: 'linux' });
    await untilFacts(`job.assigned ${job}`);
    await untilEmpty();
    await eventually(() => expect(spans.named('handle message')).toHaveLength(1), patient);

    const poll = spans.the('poll');
    expect(poll).toMatchObject({
      kind: 'consumer',
      parent: undefined,
      error: undefined,
      attributes: {
        'baton.scale_set.id': scaleSetId,
        'messaging.operation.type': 'receive',
        'baton.message.jobs': 1,
      },
    });
    // From when GitHub was asked, which may be before there was a job, to its answer.
    expect(poll.startedAt).toBeLessThanOrEqual(poll.endedAt ?? 0);
    expect(poll.endedAt).toBeGreaterThanOrEqual(askedAt);
    const handle = spans.the('handle message');
    expect(handle.parent).toBe(poll.traceparent);
    expect(handle.attributes['messaging.message.id']).toBe(poll.attributes['messaging.message.id']);
    expect(namesOf(spans.childrenOf(handle))).toEqual([
      'delete message',
      'publish demand.changed',
      'publish job.assigned',
      'record message',
    ]);
    const events = (await storedMessages(nats, streams.events)).filter(({ subject }) =>
      /\.(job\.assigned|demand\.changed)$/.test(subject),
    );
    const fact = events.find(({ subject }) => subject.endsWith('job.assigned'));
    expect(fact?.traceparent).toBe(poll.traceparent);
    const demand = events.at(-1);
    expect(demand?.traceparent).toBe(poll.traceparent);
    expect(demand?.data).toMatchObject({ demand: { traceparent: poll.traceparent } });
    expect((await set.record())?.demand?.traceparent).toBe(poll.traceparent);
  });

  test('a poll without a message is not told', async () => {
    using set = await aTracedSet({ pollHoldMs: 60 });
    const { spans } = set;
    const polls = async () => (await set.session())?.polls ?? 0;
    const before = await polls();
    await eventually(async () => expect(await polls()).toBeGreaterThan(before + 3), patient);

    expect(spans.named('poll')).toEqual([]);
    expect(spans.open.filter(({ name }) => name === 'poll').length).toBeGreaterThan(3);
  });

  test('what fails is told with its error', async () => {
    using set = await aTracedSet();
    const { spans, control } = set;
    const action = { kind: 'status', status: 400, body: '{"message":"not this one"}' } as const;
    await control.addFault({ route: 'deleteMessage', first: 1, action });
    await control.addJobs({ scaleSet: 'linux' });

    await eventually(() => expect(spans.named('delete message')).toHaveLength(1), patient);
    expect(spans.the('delete message').error).toMatchObject({ kind: 'refused' });
  });

  test('jobs that are offered are acquired as a part of it', async () => {
    using set = await aTracedSet({ dialect: 'ghes' });
    const { spans, control } = set;
    await control.addJobs({ scaleSet: 'linux', count: 2 });

    await eventually(() => expect(spans.named('acquire jobs')).toHaveLength(1), patient);
    const acquire = spans.the('acquire jobs');
    expect(acquire.attributes).toMatchObject({ 'baton.message.jobs': 2 });
    await eventually(() => {
      const [handle] = spans.named('handle message');
      expect(acquire.parent).toBe(handle?.traceparent);
    }, patient);
  });
});

describe('the trace of a session', () => {
  test('has the steps from the lease to the session, and the demand of the opening', async () => {
    using set = await aTracedSet();
    const { spans } = set;

    const opening = spans.the('open session');
    expect(opening).toMatchObject({
      parent: undefined,
      error: undefined,
      attributes: { 'baton.scale_set.id': set.scaleSetId, 'baton.session.how': 'created' },
    });
    const steps = ['claim session', 'create session', 'register scale set', 'take lease'];
    // Which outlives it, as every demand without a message.
    steps.push('record demand');
    const children = namesOf(spans.childrenOf(opening));
    expect(children.filter((name) => !name.startsWith('publish '))).toEqual(steps.toSorted());
    expect(spans.the('take lease').attributes).toEqual({ 'baton.lease.found': 'free' });
    expect((await set.record())?.demand?.traceparent).toBe(opening.traceparent);
    expect(spans.named('refresh session')).toEqual([]);
  });

  test('a session that GitHub ends is opened anew in a trace of its own', async () => {
    using set = await aTracedSet();
    const { spans, control } = set;
    const [first] = spans.named('open session');
    await control.evictSession('linux');
    await eventually(() => expect(spans.named('open session')).toHaveLength(2), patient);

    const [, second] = spans.named('open session');
    expect(second?.traceId).not.toBe(first?.traceId);
    expect(second?.attributes).toMatchObject({
      'baton.session.how': 'created',
      'baton.session.replaced': 'gone',
    });
    expect(spans.the('refresh session').error).toMatchObject({ kind: 'session-gone' });
    const resume = spans.the('resume session');
    expect(resume).toMatchObject({ parent: second?.traceparent, events: [{ name: 'gone' }] });
    expect(namesOf(spans.childrenOf(second ?? resume))).toContain('create session');
  });

  test('is closed, and handed over to another listener', async () => {
    using set = await aTracedSet();
    const { spans, declare, session, start } = set;
    await declare.spec({ enabled: false });
    await eventually(async () => expect(await session()).toBeUndefined(), patient);
    await eventually(() => expect(spans.named('close session')).toHaveLength(1), patient);
    await declare.spec({ enabled: true });
    const other = await start('listener-1');
    await eventually(async () => expect((await session())?.polls).toBeGreaterThan(0), patient);
    await eventually(() => expect(other.metric('scale_set_state')).not.toEqual({}), patient);
    await set.stop();
    await eventually(() => expect(spans.named('hand over session')).toHaveLength(1), patient);

    expect(spans.the('hand over session').error).toBeUndefined();
    expect(spans.the('resume session').parent).toBe(
      spans.named('open session').at(-1)?.traceparent,
    );
    expect(traceOf((await set.record())?.demand?.traceparent)).toBe(
      spans.named('open session').at(-1)?.traceId,
    );
  });
});
