import type { QueueMessage } from '@baton/scaleset';
import { streams } from '@baton/shared/contracts';
import type { Nats } from '@baton/shared/messaging';
import { inSpan } from '@baton/shared/telemetry';
import { eventually, recordSpans, storedMessages, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startServer } from './testing/listener-bench.ts';
import { aWorld, factsOf } from './testing/pipeline-bench.ts';

let server: TestNats;
let cli: Nats;
let scaleSetId: string;
let ids = 0;
beforeAll(async () => {
  server = await startServer();
  cli = await server.connect('admin');
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  ids += 1;
  scaleSetId = `set-${ids}`;
});

/** One message for each of the jobs, polled and not taken in yet. */
async function pollEach(
  { reader }: { reader: { poll: () => Promise<QueueMessage | undefined> } },
  say: (job: string) => Promise<void>,
  jobs: readonly string[],
): Promise<QueueMessage[]> {
  const messages: QueueMessage[] = [];
  for (const job of jobs) {
    await say(job);
    const message = await reader.poll();
    if (message) messages.push(message);
  }
  return messages;
}

describe('MessagePipeline', () => {
  test('publishes the facts, records the demand, and then deletes the message', async () => {
    const { github, live, undeleted } = await aWorld(server, scaleSetId);
    const life = await live();
    const [job] = await github.control.addJobs({ scaleSet: 'linux' });

    await life.pollAll();

    expect(await factsOf(cli, scaleSetId)).toEqual([`job.assigned ${job}`]);
    expect(await undeleted()).toBe(0);
    expect(life.failures).toEqual([]);
    expect((await life.sessions.get(scaleSetId))?.value.ring).toHaveLength(1);
  });

  test('announces the demand once it stands in the record, under its epoch', async () => {
    const { github, live } = await aWorld(server, scaleSetId);
    const life = await live();
    life.demand.onPollHeld();
    await github.control.addJobs({ scaleSet: 'linux', count: 2 });
    await github.control.play('linux', { statistics: { totalAssignedJobs: 2 } });
    const recorded: unknown[] = [];
    life.publisher.beforePublish = (subject) => {
      if (subject.endsWith('demand.changed')) recorded.push(life.claim.record.demand?.assigned);
    };

    await life.pollAll();

    const demand = (await life.sessions.get(scaleSetId))?.value.demand;
    expect(demand).toMatchObject({ epoch: life.claim.epoch, assigned: 2 });
    expect(recorded.at(-1)).toBe(2);
    const events = await storedMessages(cli, streams.events);
    expect(events.at(-1)).toMatchObject({
      subject: `baton.v1.event.listener.${scaleSetId}.demand.changed`,
      data: { type: 'demand.changed', scaleSetId, demand },
    });
  });

  test('a fact names the demand that knows it', async () => {
    const { live, say } = await aWorld(server, scaleSetId);
    const life = await live();
    life.demand.onPollHeld();
    await say('a');

    await life.pollAll();

    const facts = await storedMessages(cli, streams.events);
    const fact = facts.find(({ subject }) => subject.includes(`${scaleSetId}.job.`));
    expect(fact?.data).toMatchObject({ position: { epoch: life.claim.epoch, seq: 1 } });
  });

  test('deletes messages in the order in which they came', async () => {
    const { live, say, undeleted } = await aWorld(server, scaleSetId);
    const life = await live();
    const came: unknown[] = [];
    for (const job of ['a', 'b', 'c', 'd']) {
      await say(job);
      const message = await life.reader.poll();
      came.push(message?.messageId);
      if (message) await life.pipeline.push(message);
    }

    await life.pipeline.drained();

    expect(came).toHaveLength(4);
    expect(life.queue.deleted).toEqual(came);
    expect(await undeleted()).toBe(0);
  });

  test('messages that come in together are recorded together', async () => {
    const { live, say, undeleted } = await aWorld(server, scaleSetId);
    const life = await live();
    const messages = await pollEach(life, say, ['a', 'b', 'c', 'd']);
    const before = (await life.sessions.get(scaleSetId))?.revision ?? Number.NaN;

    await Promise.all(messages.map((message) => life.pipeline.push(message)));
    await life.pipeline.drained();

    const after = await life.sessions.get(scaleSetId);
    expect(after?.revision).toBe(before + 1);
    expect(after?.value.ring.map(({ messageId }) => messageId)).toEqual(life.queue.deleted);
    expect(life.queue.deleted).toEqual(messages.map(({ messageId }) => messageId));
    expect(await undeleted()).toBe(0);
    const facts = ['a', 'b', 'c', 'd'].map((job) => `job.assigned ${job}`);
    expect(await factsOf(cli, scaleSetId)).toEqual(facts);
  });

  test('messages that come in together are one record in the trace of the last, linked to the others', async () => {
    const { live, say } = await aWorld(server, scaleSetId);
    const life = await live();
    const messages = await pollEach(life, say, ['a', 'b', 'c']);
    using spans = recordSpans();
    await Promise.all(
      messages.map((message) => inSpan('poll', {}, () => life.pipeline.push(message))),
    );
    await life.pipeline.drained();

    const handled = spans.named('handle message');
    const [first, second, third] = handled.map(({ traceparent }) => traceparent);
    expect(handled.map(({ parent }) => parent)).toEqual(
      spans.named('poll').map(({ traceparent }) => traceparent),
    );
    expect(spans.the('record message')).toMatchObject({ parent: third, links: [first, second] });
    expect(spans.named('delete message').map(({ parent }) => parent)).toEqual([
      first,
      second,
      third,
    ]);
    const facts = (await storedMessages(cli, streams.events)).filter(({ subject }) =>
      subject.startsWith(`baton.v1.event.listener.${scaleSetId}.job.`),
    );
    expect(new Set(facts.map(({ traceparent }) => traceparent))).toEqual(
      new Set(spans.named('poll').map(({ traceparent }) => traceparent)),
    );
  });

  test('a demand that a later message has overtaken does not come back', async () => {
    const { live, say } = await aWorld(server, scaleSetId);
    const life = await live();
    life.demand.onPollHeld();
    const [first, second] = await pollEach(life, say, ['a', 'b']);
    if (!first || !second) throw new Error('no messages');

    const pushed = life.pipeline.push(first);
    life.pipeline.pushDemand();
    await Promise.all([pushed, life.pipeline.push(second)]);
    await life.pipeline.drained();

    const recorded = (await life.sessions.get(scaleSetId))?.value.demand;
    expect(recorded).toMatchObject({ seq: life.demand.current.seq, assigned: 2 });
    const told = (await storedMessages(cli, streams.events))
      .filter(({ subject }) => subject.endsWith(`${scaleSetId}.demand.changed`))
      .map(({ data }) => (data as { demand: { seq: number } }).demand.seq);
    expect(told).toEqual([recorded?.seq]);
  });

  test('what cannot be understood is kept whole, then deleted', async () => {
    const { github, live } = await aWorld(server, scaleSetId);
    const life = await live();
    const body = '{"messageId":9007199254740993,"messageType":"Surprise","body":"[]"}';
    const action = { kind: 'status', status: 200, body } as const;
    await github.control.addFault({ route: 'getMessage', first: 1, action });

    await life.pollAll();

    const [letter] = (await storedMessages(cli, streams.dead)).filter(
      ({ data }) => (data as { scaleSetId?: string }).scaleSetId === scaleSetId,
    );
    expect(letter).toMatchObject({
      subject: 'baton.v1.dead.listener.message',
      data: { service: 'listener', body, reason: 'messageType: not RunnerScaleSetJobMessages' },
    });
    expect(life.queue.deleted).toEqual(['9007199254740993']);
    expect(life.failures).toEqual([]);
  });

  test('one that is larger than NATS takes is kept whole, in parts', async () => {
    const { live } = await aWorld(server, scaleSetId);
    const life = await live();
    const raw = '\u0001'.repeat(1_300_000);
    const unreadable = { messageId: '7', statistics: undefined, problem: 'odd', raw };

    await life.pipeline.push({ kind: 'unreadable', ...unreadable });
    await life.pipeline.drained();

    const letters = (await storedMessages(cli, streams.dead))
      .map(({ data }) => data as { scaleSetId?: string; part?: number; body: string })
      .filter((letter) => letter.scaleSetId === scaleSetId);
    expect(letters.map(({ part }) => part)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(letters.map(({ body }) => body).join('') === raw).toBe(true);
    expect(life.queue.deleted).toEqual(['7']);
    expect(life.failures).toEqual([]);
  });

  test('one that cannot be understood does not hold up the next', async () => {
    const { github, live, say } = await aWorld(server, scaleSetId);
    const life = await live();
    await say('a');
    const action = { kind: 'status', status: 200, body: '{"odd":true}' } as const;
    await github.control.addFault({ route: 'getMessage', first: 1, action });

    await life.pollAll();

    expect(await factsOf(cli, scaleSetId)).toEqual(['job.assigned a']);
  });

  test('an entry of an unknown type does not keep the others from being facts', async () => {
    const { github, live, undeleted } = await aWorld(server, scaleSetId);
    const life = await live();
    await github.control.play('linux', {
      entries: [
        { messageType: 'JobDreamt', jobId: 'x' },
        { messageType: 'JobAssigned', jobId: 'a' },
      ],
    });

    await life.pollAll();

    expect(await factsOf(cli, scaleSetId)).toEqual(['job.assigned a']);
    expect(life.messages).toContain('job message not understood');
    expect(await undeleted()).toBe(0);
  });

  test('acquires the jobs that GitHub offers, and publishes nothing about an offer', async () => {
    const { github, live, undeleted } = await aWorld(server, scaleSetId, { dialect: 'ghes' });
    const life = await live();
    await github.control.addJobs({ scaleSet: 'linux', count: 3 });

    await eventually(async () => {
      await life.pollAll();
      expect((await github.control.books()).jobs.assigned).toBe(3);
    });

    const facts = await factsOf(cli, scaleSetId);
    expect(facts.every((fact) => fact.startsWith('job.assigned'))).toBe(true);
    expect(await undeleted()).toBe(0);
  });
});
