import type { Nats } from '@baton/shared/messaging';
import { eventually, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aListener, startServer } from './testing/listener-bench.ts';
import { type aLife, aWorld, factsOf } from './testing/pipeline-bench.ts';

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

describe('MessagePipeline', () => {
  test('publishes nothing twice when a message is delivered twice to one process', async () => {
    const { github, live, say, undeleted } = await aWorld(server, scaleSetId);
    const life = await live();
    await say('a');
    await github.control.addFault({
      route: 'deleteMessage',
      first: 2,
      action: { kind: 'status', status: 500 },
    });

    const first = await life.reader.poll();
    life.reader.rewind();
    const second = await life.reader.poll();
    for (const message of [first, second]) if (message) await life.pipeline.push(message);
    await life.pipeline.drained();

    expect(second?.messageId).toBe(first?.messageId);
    expect(life.publisher.published).toBe(1);
    expect(await undeleted()).toBe(0);
  });

  test.each<[string, (life: Awaited<ReturnType<typeof aLife>>) => void]>([
    [
      'before the first fact is published',
      (life) => {
        life.publisher.beforePublish = () => life.die();
      },
    ],
    [
      'when one of three facts is published',
      (life) => {
        life.publisher.afterPublish = () => life.die();
      },
    ],
    [
      'when all facts are published, before the record is written',
      (life) => {
        life.publisher.afterPublish = () => {
          if (life.publisher.published === 3) life.die();
        };
      },
    ],
    [
      'when the record is written, before the message is deleted',
      (life) => {
        life.queue.beforeDelete = () => life.die();
      },
    ],
    [
      'when the message is deleted, before it knows',
      (life) => {
        life.queue.afterDelete = () => life.die();
      },
    ],
  ])('a process that dies %s loses nothing and leaves nothing twice', async (_when, arm) => {
    const { live, say, undeleted } = await aWorld(server, scaleSetId);
    await say('a', 'b', 'c');
    const first = await live();
    arm(first);
    await first.pollAll();
    await first.bury();

    const second = await live();
    await second.pollAll();

    expect(first.failures.length).toBeGreaterThan(0);
    expect(await factsOf(cli, scaleSetId)).toEqual(
      ['a', 'b', 'c'].map((job) => `job.assigned ${job}`),
    );
    expect(await undeleted()).toBe(0);
    expect(second.failures).toEqual([]);
    expect(second.session.sessionId).toBe(first.session.sessionId);
  });

  test('what stands in the record as published is deleted and not published again', async () => {
    const { live, say, undeleted } = await aWorld(server, scaleSetId);
    await say('a');
    const first = await live();
    first.queue.beforeDelete = () => first.die();
    await first.pollAll();
    await first.bury();

    const second = await live();
    await second.pollAll();

    expect(second.publisher.published).toBe(0);
    expect(await undeleted()).toBe(0);
  });

  test('one that lost its claim deletes nothing', async () => {
    const { live, say, undeleted } = await aWorld(server, scaleSetId);
    const life = await live();
    await say('a');
    await (await aListener(server)).claim(scaleSetId);

    await life.pollAll();

    expect(life.failures).toMatchObject([{ code: 'conflict' }]);
    expect(await undeleted()).toBe(1);
    expect(life.queue.deleted).toEqual([]);
  });

  test.each([
    ['failures of GitHub', { kind: 'status', status: 500 } as const],
    ['answers that do not say that it is done', { kind: 'empty200' } as const],
  ])('deletes through %s', async (_what, action) => {
    const { github, live, say, undeleted } = await aWorld(server, scaleSetId);
    const life = await live();
    await say('a');
    await github.control.addFault({ route: 'deleteMessage', first: 2, action });

    await life.pollAll();

    expect(await undeleted()).toBe(0);
    expect(life.failures).toEqual([]);
  });

  test('a queue token that has ended is renewed once', async () => {
    const { github, live, say, undeleted } = await aWorld(server, scaleSetId);
    const life = await live();
    for (const job of ['a', 'b', 'c']) {
      await say(job);
      const message = await life.reader.poll();
      if (job === 'a') await github.control.expireTokens('queue');
      if (message) await life.pipeline.push(message);
      await life.pipeline.drained();
    }

    expect(await undeleted()).toBe(0);
    expect(life.failures).toEqual([]);
    const warnings = life.lines.filter(({ what }) => what === 'delete message');
    expect(warnings).toHaveLength(1);
  });

  test.each([400, 403])(
    'goes on without a delete that is refused with %i, and knows the message ever after',
    async (status) => {
      const { github, live, say, undeleted } = await aWorld(server, scaleSetId);
      const first = await live();
      const action = { kind: 'status', status } as const;
      const fault = await github.control.addFault({ route: 'deleteMessage', first: 1, action });
      await say('a');
      await first.pollAll();
      await say('b');
      await first.pollAll();
      first.pipeline.nothingWaits();
      const facts = ['job.assigned a', 'job.assigned b'];
      expect(await factsOf(cli, scaleSetId)).toEqual(facts);
      expect(await undeleted()).toBe(1);
      await github.control.addFault({ id: fault, route: 'deleteMessage', action });
      for (const _ of [1, 2]) {
        first.reader.rewind();
        await first.pollAll();
      }
      const said = first.messages.filter((text) => text === 'github refuses to delete a message');
      expect(said).toHaveLength(1);
      await first.bury();

      const second = await live();
      await second.pollAll();
      await github.control.clearFaults();
      second.reader.rewind();
      await second.pollAll();

      expect([first.publisher.published, second.publisher.published]).toEqual([2, 0]);
      expect(await factsOf(cli, scaleSetId)).toEqual(facts);
      expect(await undeleted()).toBe(0);
      expect([...first.failures, ...second.failures]).toEqual([]);
    },
  );

  test('keeps one that cannot be understood once, however often its delete is refused', async () => {
    const { github, live } = await aWorld(server, scaleSetId);
    const life = await live();
    const action = { kind: 'status', status: 403 } as const;
    await github.control.addFault({ route: 'deleteMessage', action });
    const odd = { messageId: '7', statistics: undefined, problem: 'odd', raw: 'odd' };

    for (const _ of [1, 2]) {
      await life.pipeline.push({ kind: 'unreadable', ...odd });
      await life.pipeline.drained();
      life.pipeline.nothingWaits();
    }

    expect(life.publisher.published).toBe(1);
    expect(life.claim.record.ring).toHaveLength(1);
    expect(life.failures).toEqual([]);
  });

  test('ends the session when more than ten deletes are refused', async () => {
    const { github, live, say, undeleted } = await aWorld(server, scaleSetId);
    const life = await live();
    const action = { kind: 'status', status: 403 } as const;
    await github.control.addFault({ route: 'deleteMessage', action });
    for (const n of Array(10).keys()) {
      await say(`job-${n}`);
      await life.pollAll();
    }
    expect(life.failures).toEqual([]);

    await say('one too many');
    await life.pollAll();

    expect(life.failures).toMatchObject([{ code: 'github', kind: 'forbidden' }]);
    expect(await undeleted()).toBe(11);
  });

  test('publishes through a restart of NATS, everything once', async () => {
    const { live, say, undeleted } = await aWorld(server, scaleSetId);
    const life = await live();
    await say('a');
    await server.kill();

    const polling = life.pollAll();
    await server.startAgain();
    await polling;

    expect(await eventually(() => factsOf(cli, scaleSetId))).toEqual(['job.assigned a']);
    expect(life.failures).toEqual([]);
    expect(await undeleted()).toBe(0);
  });

  test('takes no more than ten messages in while nothing can be deleted', async () => {
    const { github, live, say } = await aWorld(server, scaleSetId);
    const life = await live();
    const action = { kind: 'hang' } as const;
    const fault = await github.control.addFault({ route: 'deleteMessage', action });
    let taken = 0;
    const taking = (async () => {
      for (const n of Array(14).keys()) {
        await say(`job-${n}`);
        const message = await life.reader.poll();
        if (!message) throw new Error('nothing came');
        await life.pipeline.push(message);
        taken += 1;
      }
    })();

    await eventually(async () => expect(await factsOf(cli, scaleSetId)).toHaveLength(10));
    const takenWhileStuck = taken;
    await github.control.clearFaults(fault);
    await life.bury();
    await taking.catch(() => undefined);

    expect(takenWhileStuck).toBe(9);
  });
});
