import { startTestNats, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deadSubject, replayConsumers, replaySubject, streams } from '../contracts/index.ts';
import { DeadLetters } from './dead-letters.ts';

let server: TestNats;
beforeAll(async () => {
  server = await startTestNats();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Writes a letter as the provisioner does; returns its sequence. */
async function aLetter(): Promise<number> {
  const js = (await server.connect('provisioner')).connection.jetstream();
  const at = '2026-01-01T00:00:00.000Z';
  const letter = { v: 1, service: 'provisioner', kind: 'message', reason: 'odd', body: '{}', at };
  return (await js.publish(deadSubject('provisioner', 'message'), JSON.stringify(letter))).seq;
}

describe('permissions of dead letters', () => {
  const users = ['listener', 'provisioner', 'janitor', 'cli'] as const;
  const refused = { code: 'PERMISSIONS_VIOLATION' };

  test('replays are asked for by the cli alone', async () => {
    for (const user of ['listener', 'provisioner', 'janitor'] as const) {
      const js = (await server.connect(user)).connection.jetstream();
      await expect(js.publish(replaySubject(user), '{}')).rejects.toMatchObject(refused);
    }
  });

  test('each service takes its own requests alone', async () => {
    const taken = [];
    for (const user of users) {
      const { connection } = await server.connect(user);
      for (const consumer of Object.values(replayConsumers)) {
        const subject = `$JS.API.CONSUMER.MSG.NEXT.${streams.commands}.${consumer}`;
        // In ns. One that ends at once is not answered while the consumer waits for an acknowledgement.
        const request = JSON.stringify({ batch: 1, expires: 20_000_000 });
        const problem = await connection.request(subject, request, { timeout: 2_000 }).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (problem === undefined) taken.push([user, consumer]);
        else expect(problem).toMatchObject(refused);
      }
    }

    expect(taken).toEqual(Object.entries(replayConsumers));
  });

  test('letters are removed by the services and the cli, other streams by none of them', async () => {
    const letters = await DeadLetters.open(await server.connect('cli'));
    for (const user of users) {
      const nats = await server.connect(user);
      const id = await aLetter();
      await (await DeadLetters.open(nats)).remove([id]);
      const jsm = await nats.connection.jetstreamManager({ checkAPI: false });

      expect(await letters.find(id)).toBeUndefined();
      for (const stream of [streams.events, streams.commands]) {
        await expect(jsm.streams.deleteMessage(stream, 1)).rejects.toMatchObject(refused);
      }
    }
  });
});
