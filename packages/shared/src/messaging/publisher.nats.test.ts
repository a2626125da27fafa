import {
  captureLog,
  eventually,
  startTestNats,
  storedMessages,
  type TestNats,
} from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventSubject, hintSubject, streams } from '../contracts/index.ts';
import type { Nats } from './connect.ts';
import { Publisher } from './publisher.ts';

let server: TestNats;
let cli: Nats;
let listener: Nats;
beforeAll(async () => {
  server = await startTestNats();
  cli = await server.connect('admin');
  listener = await server.connect('listener');
});
afterAll(() => server[Symbol.asyncDispose]());

const { log } = captureLog();
const subjectOf = (scaleSet: string) => eventSubject('listener', scaleSet, 'job', 'started');

/** Permitted, but no stream keeps it. */
const unheard = hintSubject('lease', 'linux-1');

async function storedFor(scaleSet: string) {
  const all = await storedMessages(cli, streams.events);
  return all.filter(({ subject }) => subject === subjectOf(scaleSet));
}

describe('Publisher', () => {
  test('stores what it publishes, with the trace', async () => {
    const publisher = new Publisher(listener, log);

    await publisher.publish(subjectOf('plain'), { n: 1 }, { traceparent: '00-1-2-01' });

    expect(await storedFor('plain')).toMatchObject([{ data: { n: 1 }, traceparent: '00-1-2-01' }]);
  });

  test('stores one message of an id, also from another process', async () => {
    const other = new Publisher(await server.connect('listener'), log);
    const publisher = new Publisher(listener, log);

    await publisher.publish(subjectOf('twice'), { n: 1 }, { messageId: 'twice-1' });
    await publisher.publish(subjectOf('twice'), { n: 2 }, { messageId: 'twice-1' });
    await other.publish(subjectOf('twice'), { n: 3 }, { messageId: 'twice-1' });

    expect((await storedFor('twice')).map(({ data }) => data)).toEqual([{ n: 1 }]);
  });

  test('one attempt fails when NATS does not confirm', async () => {
    const publisher = new Publisher(listener, log);

    const publishing = publisher.publishOnce(unheard, {});

    await expect(publishing).rejects.toMatchObject({ code: 'nats', retryable: true });
  });

  test('does not try again what NATS refuses for good', async () => {
    const captured = captureLog();
    const publisher = new Publisher(listener, captured.log);
    const foreign = eventSubject('janitor', 'linux-1', 'runner', 'deleted');

    const results = await Promise.allSettled([
      publisher.publish(foreign, {}),
      publisher.publish(subjectOf('large'), 'x'.repeat(2 ** 20)),
    ]);

    const refused = { status: 'rejected', reason: { code: 'nats', retryable: false } };
    expect(results).toMatchObject([refused, refused]);
    expect(captured.messages).toEqual([]);
  });

  test('goes on through a restart of the server and stores everything once', async () => {
    const captured = captureLog();
    const publisher = new Publisher(listener, captured.log, () => 0);
    await server.kill();

    const publishing = Array.from({ length: 20 }, (_, n) =>
      publisher.publish(subjectOf('restart'), { n }, { messageId: `restart-${n}` }),
    );
    await server.startAgain();
    await Promise.all(publishing);

    const numbers = (await eventually(() => storedFor('restart'))).map(({ data }) => data);
    expect(numbers).toHaveLength(20);
    expect(numbers).toEqual(expect.arrayContaining([{ n: 0 }, { n: 19 }]));
  });

  test('stops trying when it is called off', async () => {
    const captured = captureLog();
    const publisher = new Publisher(listener, captured.log);
    const caller = new AbortController();
    const reason = new Error('never mind');

    const publishing = publisher.publish(unheard, {}, caller);
    await eventually(() => expect(captured.messages).toHaveLength(1));
    caller.abort(reason);

    await expect(publishing).rejects.toBe(reason);
    await expect(publisher.publish(subjectOf('never'), {}, caller)).rejects.toBe(reason);
    expect(await storedFor('never')).toEqual([]);
  });
});
