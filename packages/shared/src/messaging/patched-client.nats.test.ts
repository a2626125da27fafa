import { Socket } from 'node:net';
import { eventually, startTestNats, type TestNats } from '@baton/testkit';
import { NatsError } from 'nats';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Nats } from './connect.ts';

let server: TestNats;
let sender: Nats;
beforeAll(async () => {
  server = await startTestNats();
  sender = await server.connect('admin');
});
afterAll(() => server[Symbol.asyncDispose]());

/** Counts how often a method is called, which does what it did. */
function countCalls(owner: object, name: string): () => number {
  let count = 0;
  const method: unknown = Reflect.get(owner, name);
  if (typeof method !== 'function') throw new Error(`there is no method ${name}`);
  const counted = new Proxy(method, {
    apply: (target, self: unknown, given: unknown[]): unknown => {
      count += 1;
      return Reflect.apply(target, self, given);
    },
  });
  Reflect.set(owner, name, counted);
  onTestFinished(() => void Reflect.set(owner, name, method));
  return () => count;
}

/** These fail when the client was updated without `patches/`. */
describe('the client of NATS, as it is patched', () => {
  test('writes at once what is published in one turn of the event loop', async () => {
    await sender.connection.flush();
    const writes = countCalls(Socket.prototype, 'write');

    for (const text of ['one', 'two', 'three']) {
      await Promise.resolve();
      sender.connection.publish('test.turn', text);
    }
    await new Promise((resolve) => setImmediate(resolve));

    expect(writes()).toBe(1);
  });

  test('makes no error for a request that is answered', async () => {
    const { connection } = await server.connect('admin');
    connection.subscribe('test.question', {
      callback: (_error, message) => message.respond('yes'),
    });
    await connection.flush();
    const errors = countCalls(NatsError, 'errorForCode');

    const answer = await sender.connection.request('test.question', 'well?');

    expect(answer.string()).toBe('yes');
    expect(errors()).toBe(0);
  });

  test('still tells of a request that nobody answers', async () => {
    const asking = sender.connection.request('test.nobody', '', { timeout: 1_000 });

    await expect(asking).rejects.toMatchObject({ code: '503' });
  });

  test('writes what was published before it closes', async () => {
    const heard: string[] = [];
    sender.connection.subscribe('test.last', {
      callback: (_error, message) => void heard.push(message.string()),
    });
    await sender.connection.flush();
    const leaving = await server.connect('admin');

    leaving.connection.publish('test.last', 'word');
    await leaving.connection.close();

    await eventually(() => expect(heard).toEqual(['word']));
  });
});
