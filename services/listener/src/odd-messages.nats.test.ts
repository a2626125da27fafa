import { DeadLetters, type Nats, Publisher, requestReplays } from '@baton/shared/messaging';
import { captureLog, eventually, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { replayMessage } from './replay-message.ts';
import { startServer } from './testing/listener-bench.ts';
import { aWorld, factsOf } from './testing/pipeline-bench.ts';
import { aPollLoop, ShiftedClock } from './testing/poll-bench.ts';
import { aServedSet } from './testing/served-bench.ts';

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

const never = new AbortController().signal;

describe('a message of which entries cannot be handled', () => {
  test('gives the facts of the others, and the polls go on; what is odd is kept whole', async () => {
    const set = await aServedSet();
    const { control, nats } = set;
    const wrong = { messageType: 'JobStarted', jobId: 'wrong', runnerName: { odd: true } };
    const large = { messageType: 'JobAssigned', jobId: 'large', jobDisplayName: 'x'.repeat(2e6) };
    const unknown = { messageType: 'JobDreamt', jobId: 'unknown' };
    const good = { messageType: 'JobAssigned', jobId: 'good' };

    await control.play('linux', { entries: [unknown, wrong, large, good] });
    await set.untilFacts('job.assigned good');
    await set.untilEmpty();
    await control.play('linux', { entries: [{ messageType: 'JobAssigned', jobId: 'later' }] });
    await set.untilFacts('job.assigned good', 'job.assigned later');

    const letters = await eventually(async () => {
      const found = await set.letters();
      expect(found).toHaveLength(2);
      return found;
    });
    const bodies = await Promise.all(letters.map(async ({ id }) => (await set.letter(id))?.body));
    expect(new Set(bodies)).toEqual(new Set([JSON.stringify(large), JSON.stringify(wrong)]));
    // Handling them again finds the same, and keeps them.
    const outcomes: string[] = [];
    await requestReplays(nats, new Publisher(nats, captureLog().log), letters, {
      timeoutMs: 10_000,
      onAnswer: ({ outcome }) => void outcomes.push(outcome),
    });
    expect(outcomes).toEqual(['kept', 'kept']);
    expect(set.hasEnded()).toBe(false);
  });

  test('gives the missing facts, once each, when it is replayed', async () => {
    const { github, live, say, undeleted } = await aWorld(server, scaleSetId);
    const life = await live();
    const entries = ['JobAssigned', 'JobStarted'].map((messageType) => ({
      messageType,
      jobId: 'a',
      runnerId: 7,
    }));
    await github.control.play('linux', { entries });
    life.publisher.beforePublish = (subject) => {
      if (subject.endsWith('job.started')) throw new Error('the handler fails');
    };

    await life.pollAll();
    await say('b');
    await life.pollAll();

    expect(await factsOf(cli, scaleSetId)).toEqual(['job.assigned a', 'job.assigned b']);
    expect(await undeleted()).toBe(0);
    expect(life.failures).toEqual([]);
    const letters = await DeadLetters.open(cli);
    const [found] = (await letters.list({ scaleSetIds: [scaleSetId] }, 10)).letters;
    const letter = await letters.find(found?.id ?? 0);
    expect(letter?.reason).toBe('failed 3 times: the handler fails');
    if (!letter) throw new Error('no letter was kept');

    life.publisher.beforePublish = () => undefined;
    expect(await replayMessage(life, letter, never)).toMatchObject({ kind: 'done' });
    expect(await replayMessage(life, letter, never)).toMatchObject({ kind: 'done' });

    expect(await factsOf(cli, scaleSetId)).toEqual([
      'job.assigned a',
      'job.assigned b',
      'job.started a',
    ]);
  });
});

describe('message ids that start again', () => {
  test('with other bodies are messages of their own', async () => {
    const { github, live, say, undeleted } = await aWorld(server, scaleSetId);
    const life = await live();
    for (const job of ['a', 'b']) {
      await say(job);
      await life.pollAll();
    }

    await github.control.play('linux', { restartMessageIds: true });
    life.reader.rewind();
    for (const job of ['c', 'd']) {
      await say(job);
      await life.pollAll();
    }

    expect(new Set(life.queue.deleted).size).toBe(2);
    expect(life.queue.deleted).toHaveLength(4);
    expect(await factsOf(cli, scaleSetId)).toEqual(
      ['a', 'b', 'c', 'd'].map((job) => `job.assigned ${job}`),
    );
    expect(await undeleted()).toBe(0);
    expect(life.failures).toEqual([]);
  });

  test('behind the position are read after one poll that was held to its end', async () => {
    const clock = new ShiftedClock();
    const { github, came, counts } = await aPollLoop(server, scaleSetId, { clock });
    const { control } = github;
    const say = (jobId: string) =>
      control.play('linux', { entries: [{ messageType: 'JobAssigned', jobId }] });
    for (const job of ['a', 'b']) {
      await say(job);
      await eventually(() => expect(came).toHaveLength(job === 'a' ? 1 : 2));
    }

    await control.play('linux', { restartMessageIds: true });
    await say('c');
    const ended = counts.ended;
    await eventually(() => expect(counts.ended).toBeGreaterThan(ended + 2));
    expect(came).toHaveLength(2);
    clock.shift(45_001);

    await eventually(() => expect(came).toHaveLength(3));
    expect(came[2]?.messageId).toBe(came[0]?.messageId);
  });
});
