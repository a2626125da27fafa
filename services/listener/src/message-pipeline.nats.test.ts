import { streams } from '@baton/shared/contracts';
import type { Nats } from '@baton/shared/messaging';
import { eventually, storedMessages, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aGitHub, type TestGitHub } from './testing/github-bench.ts';
import { startServer } from './testing/listener-bench.ts';
import { aLife, factsOf } from './testing/pipeline-bench.ts';

let server: TestNats;
let cli: Nats;
let scaleSetId: string;
let ids = 0;
beforeAll(async () => {
  server = await startServer();
  cli = await server.connect('cli');
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  ids += 1;
  scaleSetId = `set-${ids}`;
});

/** A GitHub with one scale set, and the lives of the listeners that serve it. */
async function aWorld(options: Parameters<typeof aGitHub>[0] = {}) {
  const github = await aGitHub(options);
  const githubScaleSetId = await github.aScaleSet();
  return {
    github,
    live: () => aLife({ server, github, scaleSetId, githubScaleSetId }),
    record: async (life: Awaited<ReturnType<typeof aLife>>) =>
      (await life.sessions.get(scaleSetId))?.value,
  };
}

/** Puts a message of its own into the log for each job: GitHub makes one of all that waits. */
async function entry(github: TestGitHub, jobId: string, messageType = 'JobAssigned') {
  await github.control.play('linux', { entries: [{ messageType, jobId, runnerRequestId: 0 }] });
}

const undeleted = async (github: TestGitHub) => (await github.state())?.messages;

describe('MessagePipeline', () => {
  test('publishes the facts, records the demand, and then deletes the message', async () => {
    const { github, live, record } = await aWorld();
    const life = await live();
    const [job] = await github.control.addJobs({ scaleSet: 'linux' });

    await life.pollAll();

    expect(await factsOf(cli, scaleSetId)).toEqual([`job.assigned ${job}`]);
    expect(await undeleted(github)).toBe(0);
    expect(life.failures).toEqual([]);
    expect((await record(life))?.ring).toHaveLength(1);
  });

  test('announces the demand once it stands in the record, under its epoch', async () => {
    const { github, live, record } = await aWorld();
    const life = await live();
    life.demand.onPollHeld();
    await github.control.addJobs({ scaleSet: 'linux', count: 2 });
    await github.control.play('linux', { statistics: { totalAssignedJobs: 2 } });
    const recorded: unknown[] = [];
    life.publisher.beforePublish = (subject) => {
      if (subject.endsWith('demand.changed')) recorded.push(life.claim.record.demand?.assigned);
    };

    await life.pollAll();

    const demand = (await record(life))?.demand;
    expect(demand).toMatchObject({ epoch: life.claim.epoch, assigned: 2 });
    expect(recorded.at(-1)).toBe(2);
    const events = await storedMessages(cli, streams.events);
    expect(events.at(-1)).toMatchObject({
      subject: `baton.v1.event.listener.${scaleSetId}.demand.changed`,
      data: { type: 'demand.changed', scaleSetId, demand },
    });
  });

  test('a fact names the demand that knows it', async () => {
    const { github, live } = await aWorld();
    const life = await live();
    life.demand.onPollHeld();
    await entry(github, 'a');

    await life.pollAll();

    const facts = await storedMessages(cli, streams.events);
    const fact = facts.find(({ subject }) => subject.includes(`${scaleSetId}.job.`));
    expect(fact?.data).toMatchObject({ position: { epoch: life.claim.epoch, seq: 1 } });
  });

  test('deletes messages in the order in which they came', async () => {
    const { github, live } = await aWorld();
    const life = await live();
    const came: unknown[] = [];
    for (const job of ['a', 'b', 'c', 'd']) {
      await entry(github, job);
      const message = await life.poll();
      came.push(message?.messageId);
      if (message) await life.pipeline.push(message);
    }

    await life.pipeline.drained();

    expect(came).toHaveLength(4);
    expect(life.queue.deleted).toEqual(came);
    expect(await undeleted(github)).toBe(0);
  });

  test('publishes nothing twice when a message is delivered twice to one process', async () => {
    const { github, live } = await aWorld();
    const life = await live();
    await entry(github, 'a');
    await github.control.addFault({
      route: 'deleteMessage',
      first: 2,
      action: { kind: 'status', status: 500 },
    });

    const first = await life.poll();
    life.rewind();
    const second = await life.poll();
    for (const message of [first, second]) if (message) await life.pipeline.push(message);
    await life.pipeline.drained();

    expect(second?.messageId).toBe(first?.messageId);
    expect(life.publisher.published).toBe(1);
    expect(await undeleted(github)).toBe(0);
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
    const { github, live } = await aWorld();
    await github.control.play('linux', {
      entries: ['a', 'b', 'c'].map((jobId) => ({ messageType: 'JobAssigned', jobId })),
    });
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
    expect(await undeleted(github)).toBe(0);
    expect(second.failures).toEqual([]);
    expect(second.session.sessionId).toBe(first.session.sessionId);
  });

  test('one that lost its claim deletes nothing', async () => {
    const { github, live } = await aWorld();
    const life = await live();
    await entry(github, 'a');
    await life.claim.write((record) => record);
    const { sessions, clock, random } = life;
    await (await import('./session-claim.ts')).SessionClaim.take(
      { sessions, clock, random },
      { installationId: 'test', scaleSetId, owner: 'other', signal: new AbortController().signal },
    );

    await life.pollAll();

    expect(life.failures).toMatchObject([{ code: 'conflict' }]);
    expect(await undeleted(github)).toBe(1);
    expect(life.queue.deleted).toEqual([]);
  });

  test('what cannot be understood is kept whole, then deleted', async () => {
    const { github, live } = await aWorld();
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

  test('one that cannot be understood does not hold up the next', async () => {
    const { github, live } = await aWorld();
    const life = await live();
    await entry(github, 'a');
    const action = { kind: 'status', status: 200, body: '{"odd":true}' } as const;
    await github.control.addFault({ route: 'getMessage', first: 1, action });

    await life.pollAll();

    expect(await factsOf(cli, scaleSetId)).toEqual(['job.assigned a']);
  });

  test('an entry of an unknown type does not keep the others from being facts', async () => {
    const { github, live } = await aWorld();
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
    expect(await undeleted(github)).toBe(0);
  });

  test('deletes through failures of GitHub', async () => {
    const { github, live } = await aWorld();
    const life = await live();
    await entry(github, 'a');
    const action = { kind: 'status', status: 500 } as const;
    await github.control.addFault({ route: 'deleteMessage', first: 2, action });

    await life.pollAll();

    expect(await undeleted(github)).toBe(0);
    expect(life.failures).toEqual([]);
  });

  test('a queue token that has ended is renewed once', async () => {
    const { github, live } = await aWorld();
    const life = await live();
    for (const job of ['a', 'b', 'c']) {
      await entry(github, job);
      const message = await life.poll();
      if (job === 'a') await github.control.expireTokens('queue');
      if (job === 'a') life.publisher.afterPublish = () => undefined;
      if (message) await life.pipeline.push(message);
      await life.pipeline.drained();
    }

    expect(await undeleted(github)).toBe(0);
    expect(life.failures).toEqual([]);
    const warnings = life.messages.filter((text) => text === 'message could not be deleted');
    expect(warnings).toHaveLength(1);
  });

  test('ends the session when a delete is refused for good', async () => {
    const { github, live } = await aWorld();
    const life = await live();
    await entry(github, 'a');
    const action = { kind: 'status', status: 403 } as const;
    await github.control.addFault({ route: 'deleteMessage', action });

    await life.pollAll();

    expect(life.failures).toMatchObject([{ code: 'github' }]);
    expect(await undeleted(github)).toBe(1);
  });

  test('acquires the jobs that GitHub offers, and publishes nothing about an offer', async () => {
    const { github, live } = await aWorld({ dialect: 'ghes' });
    const life = await live();
    await github.control.addJobs({ scaleSet: 'linux', count: 3 });

    await eventually(async () => {
      await life.pollAll();
      expect((await github.control.books()).jobs.assigned).toBe(3);
    });

    const facts = await factsOf(cli, scaleSetId);
    expect(facts.every((fact) => fact.startsWith('job.assigned'))).toBe(true);
    expect(await undeleted(github)).toBe(0);
  });

  test('publishes through a restart of NATS, everything once', async () => {
    const { github, live } = await aWorld();
    const life = await live();
    await entry(github, 'a');
    await server.kill();

    const polling = life.pollAll();
    await server.startAgain();
    await polling;

    expect(await eventually(() => factsOf(cli, scaleSetId))).toEqual(['job.assigned a']);
    expect(life.failures).toEqual([]);
    expect(await undeleted(github)).toBe(0);
  });

  test('takes no more than ten messages in while nothing can be deleted', async () => {
    const { github, live } = await aWorld();
    const life = await live();
    const action = { kind: 'hang' } as const;
    const fault = await github.control.addFault({ route: 'deleteMessage', action });
    let taken = 0;
    const taking = (async () => {
      for (const n of Array(14).keys()) {
        await entry(github, `job-${n}`);
        const message = await life.poll();
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
