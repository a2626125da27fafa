import { captureLog, eventually, startTestNats, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { deadSubject, replaySubject, streams } from '../contracts/index.ts';
import type { Nats } from './connect.ts';
import { DeadLetters } from './dead-letters.ts';
import { type LetterHandler, replayLoop } from './dead-letters-replay.ts';
import { type ReplayAnswer, requestReplays } from './dead-letters-request.ts';
import { done, reject } from './outcome.ts';
import { Publisher } from './publisher.ts';

const at = '2026-01-01T00:00:00.000Z';

let server: TestNats;
let cli: Nats;
let provisioner: Nats;
let letters: DeadLetters;
beforeAll(async () => {
  server = await startTestNats();
  cli = await server.connect('cli');
  provisioner = await server.connect('provisioner');
  letters = await DeadLetters.open(cli);
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  const jsm = await (await server.connect('admin')).connection.jetstreamManager();
  await jsm.streams.purge(streams.dead);
  await jsm.streams.purge(streams.commands);
});

/** Writes a letter of the provisioner as it does; returns its sequence. */
async function aLetter(part: object = {}, messageId = ''): Promise<number> {
  const letter = { v: 1, service: 'provisioner', kind: 'message', reason: 'odd', body: '{}', at };
  const subject = deadSubject('provisioner', 'message');
  const text = JSON.stringify({ ...letter, ...part });
  const options = messageId ? { msgID: messageId } : {};
  return (await provisioner.connection.jetstream().publish(subject, text, options)).seq;
}

let names = 0;

/** Writes a letter in parts, as a listener does. */
async function inParts(bodies: readonly string[], fields: object = {}): Promise<number[]> {
  names += 1;
  const written = [];
  for (const [index, body] of bodies.entries()) {
    const part = { ...fields, body, part: index + 1, parts: bodies.length };
    written.push(await aLetter(part, `dead-${names}-message-${index}`));
  }
  return written;
}

describe('DeadLetters', () => {
  test('lists the newest that match, by age, without their bodies, and says that there are more', async () => {
    const ids = [];
    for (let n = 0; n < 70; n += 1) {
      ids.push(await aLetter({ kind: n % 2 === 0 ? 'even' : 'odd', body: 'x'.repeat(n) }));
    }

    const all = await letters.list({}, 100);
    const newest = await letters.list({ kind: 'even' }, 3);
    const before = await letters.list({ kind: 'even', before: newest.letters[0]?.id }, 100);

    expect(all.letters.map(({ id }) => id)).toEqual(ids);
    expect(all).toMatchObject({ more: false, letters: { 69: { body: '', bytes: 69 } } });
    expect(newest.letters.map(({ bytes }) => bytes)).toEqual([64, 66, 68]);
    expect(newest.more).toBe(true);
    expect(before.letters).toHaveLength(32);
    expect(before.more).toBe(false);
  });

  test('finds nothing in an empty stream', async () => {
    expect(await letters.list({}, 10)).toEqual({ letters: [], more: false });
    expect(await letters.find(1_000_000)).toBeUndefined();
  });

  test('passes over what was removed', async () => {
    const ids = [await aLetter(), await aLetter(), await aLetter(), await aLetter()];
    await letters.remove(ids.slice(1, 3));
    await letters.remove([...ids.slice(1, 3), 1, 1_000_000]);

    const { letters: left } = await letters.list({}, 10);

    expect(left.map(({ id }) => id)).toEqual([ids[0], ids[3]]);
    expect(await letters.remaining(ids)).toEqual(new Set([ids[0], ids[3]]));
  });

  test('a letter in parts is one, however many messages lie between them', async () => {
    const first = await aLetter({ body: 'one', part: 1, parts: 2 }, 'dead-far-message-0');
    for (let n = 0; n < 50; n += 1) await aLetter();
    const last = await aLetter({ body: 'two', part: 2, parts: 2 }, 'dead-far-message-1');

    const listed = await letters.list({}, 1);
    const found = await letters.find(first);

    expect(listed.letters).not.toContainEqual(expect.objectContaining({ id: last }));
    expect(found).toMatchObject({ id: first, sequences: [first, last], body: 'onetwo' });
    expect(await letters.find(last)).toMatchObject({ id: first, body: 'onetwo' });
    expect((await letters.list({}, 100)).letters).toHaveLength(51);
  });

  test('chooses by scale set, also where only the subject names it', async () => {
    const subject = 'baton.v1.command.create.linux-1';
    const [first, second] = [await aLetter({ subject }), await aLetter({ scaleSetId: 'linux-1' })];
    await aLetter({ scaleSetId: 'linux-2' });

    const { letters: found } = await letters.list({ scaleSetIds: ['linux-1'] }, 10);

    expect(found.map(({ id }) => id)).toEqual([first, second]);
  });

  test('leaves no consumer behind', async () => {
    await aLetter();
    await letters.list({}, 10);

    const jsm = await cli.connection.jetstreamManager({ checkAPI: false });
    expect((await jsm.streams.info(streams.dead)).state.consumer_count).toBe(0);
  });
});

/** A provisioner that handles its letters again; it ends with the test. */
async function aReplayer(handle: LetterHandler) {
  const nats = await server.connect('provisioner');
  const { log, messages } = captureLog();
  const publisher = new Publisher(nats, log);
  const [stop, abort] = [new AbortController(), new AbortController()];
  const running = replayLoop(
    { nats, publisher, log, service: 'provisioner', handle },
    stop.signal,
    abort.signal,
  );
  const end = async () => {
    stop.abort();
    abort.abort();
    await running;
  };
  onTestFinished(end);
  return { nats, messages, end };
}

async function ask(ids: readonly number[], timeoutMs = 10_000): Promise<ReplayAnswer[]> {
  const answers: ReplayAnswer[] = [];
  const asked = [];
  for (const id of ids) {
    const letter = await letters.find(id);
    if (letter) asked.push(letter);
  }
  const publisher = new Publisher(cli, captureLog().log);
  const onAnswer = (answer: ReplayAnswer) => void answers.push(answer);
  await requestReplays(cli, publisher, asked, { timeoutMs, onAnswer });
  return answers.sort((a, b) => a.letterId - b.letterId);
}

async function openRequests(): Promise<number> {
  const jsm = await cli.connection.jetstreamManager({ checkAPI: false });
  return (await jsm.streams.info(streams.commands)).state.messages;
}

describe('a replay', () => {
  test('removes a letter once its effect is durable, and keeps the others with the reason', async () => {
    const [good, bad] = [await aLetter({ body: 'good' }), await aLetter({ body: 'bad' })];
    const [first = 0] = await inParts(['go', 'od']);
    const there: boolean[] = [];
    await aReplayer(async ({ id, body }) => {
      there.push((await letters.find(id)) !== undefined);
      return body === 'good' ? done() : reject('it is bad');
    });

    const answers = await ask([good, bad, first]);

    expect(answers).toEqual([
      { letterId: good, outcome: 'replayed' },
      { letterId: bad, outcome: 'kept', reason: 'it is bad' },
      { letterId: first, outcome: 'replayed' },
    ]);
    expect(there).toEqual([true, true, true]);
    expect((await letters.list({}, 10)).letters.map(({ id }) => id)).toEqual([bad]);
    await eventually(async () => expect(await openRequests()).toBe(0));
  });

  test('that fails says why, and leaves no letter about itself', async () => {
    const id = await aLetter();
    await aReplayer(() => Promise.reject(new Error('the provider is broken')));

    const answers = await ask([id]);

    expect(answers).toEqual([{ letterId: id, outcome: 'kept', reason: 'the provider is broken' }]);
    expect((await letters.list({}, 10)).letters).toHaveLength(1);
  });

  test('of a letter that is not whole, or of another service, is refused', async () => {
    const [first = 0, second = 0] = await inParts(['a', 'b', 'c']);
    await letters.remove([second]);
    const foreign = await aLetter({ service: 'nobody' });
    await aReplayer(() => Promise.resolve(done()));

    const answers = await ask([first, foreign]);

    expect(answers).toEqual([
      { letterId: first, outcome: 'kept', reason: 'parts are missing: 2' },
      { letterId: foreign, outcome: 'kept', reason: 'no service handles it again' },
    ]);
  });

  test('that nobody takes is told as such, and done when somebody is there', async () => {
    const id = await aLetter();

    expect(await ask([id], 200)).toEqual([{ letterId: id, outcome: 'unanswered' }]);
    await aReplayer(() => Promise.resolve(done()));

    await eventually(async () => expect(await letters.find(id)).toBeUndefined());
  });

  test('asked for twice at once is handled, and answered both times', async () => {
    const id = await aLetter();
    await aReplayer(() => Promise.resolve(done()));

    const answers = await Promise.all([ask([id]), ask([id])]);

    expect(answers.flat().map(({ outcome }) => outcome)).not.toContain('unanswered');
    expect(await letters.find(id)).toBeUndefined();
  });

  test('is taken over from a process that died in the middle of it', async () => {
    const id = await aLetter();
    let begun = 0;
    const dying = await aReplayer(async (_letter, signal) => {
      begun += 1;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      throw new Error('killed');
    });
    const asked = ask([id]);
    await eventually(() => expect(begun).toBe(1));

    await dying.end();
    await aReplayer(() => Promise.resolve(done()));

    expect(await asked).toEqual([{ letterId: id, outcome: 'replayed' }]);
  });

  test('ends well when its process dies between the parts that it removes', async () => {
    const sequences = await inParts(['a', 'b', 'c']);
    const [first = 0] = sequences;
    await letters.remove([first]);
    await cli.connection
      .jetstream()
      .publish(replaySubject('provisioner'), JSON.stringify({ v: 1, sequences }));
    let handled = 0;
    await aReplayer(() => {
      handled += 1;
      return Promise.resolve(done());
    });

    await eventually(async () => expect(await letters.remaining(sequences)).toEqual(new Set()));
    expect(handled).toBe(0);
  });

  test('is known by the absence of the letter when the answer is lost', async () => {
    const id = await aLetter();
    const asked = ask([id]);

    await letters.remove([id]);

    expect(await asked).toEqual([{ letterId: id, outcome: 'replayed' }]);
  });
});
