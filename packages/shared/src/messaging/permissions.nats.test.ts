import { type NatsUser, startTestNats, type TestNats } from '@baton/testkit';
import { NatsError } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  buckets,
  type CommandVerb,
  commandSubject,
  deadSubject,
  type EventSource,
  eventSubject,
  livenessSubject,
  sweepConfirmationKey,
  sweepKey,
} from '../contracts/index.ts';
import type { Nats } from './connect.ts';

const users: readonly NatsUser[] = ['listener', 'provisioner', 'janitor', 'cli'];

let server: TestNats;
const connections = new Map<NatsUser, Nats>();
beforeAll(async () => {
  server = await startTestNats();
  for (const user of users) connections.set(user, await server.connect(user));
});
afterAll(() => server[Symbol.asyncDispose]());

function connectionOf(user: NatsUser) {
  const nats = connections.get(user);
  if (!nats) throw new Error(`${user} is not connected`);
  return nats.connection;
}

/** The users that JetStream stored a message of on this subject; the others were refused. */
async function whoMayPublish(subject: string): Promise<NatsUser[]> {
  const allowed: NatsUser[] = [];
  for (const user of users) {
    const problem = await connectionOf(user)
      .jetstream({ timeout: 2_000 })
      .publish(subject, '{}')
      .then(
        () => undefined,
        (error: unknown) => (error instanceof NatsError ? error.code : String(error)),
      );
    if (problem === undefined) allowed.push(user);
    else expect(problem).toBe('PERMISSIONS_VIOLATION');
  }
  return allowed;
}

/** Whether a user may listen on a subject. */
async function maySubscribe(user: NatsUser, subject: string): Promise<boolean> {
  const connection = connectionOf(user);
  const problems: unknown[] = [];
  const subscription = connection.subscribe(subject, {
    callback: (error) => void problems.push(error),
  });
  await connection.flush();
  subscription.unsubscribe();
  return problems.length === 0;
}

describe('the NATS users', () => {
  test.each<[bucket: keyof typeof buckets, writers: NatsUser[]]>([
    ['specs', ['cli']],
    ['leases', ['listener']],
    ['members', ['listener']],
    ['registrations', ['listener', 'cli']],
    ['sessions', ['listener', 'cli']],
    ['status', ['listener', 'cli']],
    ['plans', ['provisioner', 'cli']],
    ['runners', ['provisioner', 'janitor']],
    ['jit', ['provisioner']],
  ])('%s may be written by %j alone', async (bucket, writers) => {
    expect(await whoMayPublish(`$KV.${buckets[bucket]}.some.key`)).toEqual(writers);
  });

  test.each<[key: string, writers: NatsUser[]]>([
    [`${buckets.leases}.sweep.lost`, ['listener', 'janitor']],
    [`${buckets.sweeps}.${sweepKey('lost')}`, ['janitor']],
    [`${buckets.sweeps}.${sweepConfirmationKey('lost')}`, ['cli']],
  ])('the key %s may be written by %j alone', async (key, writers) => {
    expect(await whoMayPublish(`$KV.${key}`)).toEqual(writers);
  });

  test.each<[EventSource]>([['listener'], ['provisioner'], ['janitor'], ['cli']])(
    'events of the %s come from nobody else',
    async (source) => {
      const subject = eventSubject(source, 'linux-1', 'job', 'started');

      expect(await whoMayPublish(subject)).toEqual([source]);
    },
  );

  test.each<[CommandVerb, NatsUser[]]>([
    ['create', ['provisioner']],
    ['delete', ['provisioner', 'janitor', 'cli']],
  ])('commands to %s come from %j alone', async (verb, senders) => {
    expect(await whoMayPublish(commandSubject(verb, 'linux-1'))).toEqual(senders);
  });

  test.each<[NatsUser]>([['listener'], ['provisioner'], ['janitor']])(
    'dead letters of the %s come from nobody else',
    async (user) => {
      expect(await whoMayPublish(deadSubject(user, 'message'))).toEqual([user]);
    },
  );

  test('nobody can read the replies to another', async () => {
    const pairs = users.flatMap((user) => users.map((owner) => [user, owner] as const));

    const readable = [];
    for (const [user, owner] of pairs) {
      if (await maySubscribe(user, `_INBOX_${owner}.>`)) readable.push([user, owner]);
    }

    expect(readable).toEqual(users.map((user) => [user, user]));
  });

  test.each([['>'], ['_INBOX.>'], ['$KV.>'], ['baton.v1.event.>'], ['$JS.API.>']])(
    'no service can listen to %s',
    async (subject) => {
      const listening = [];
      for (const user of users) if (await maySubscribe(user, subject)) listening.push(user);

      expect(listening).toEqual([]);
    },
  );

  test('no service can make, change or delete a stream', async () => {
    for (const user of ['listener', 'provisioner', 'janitor'] as const) {
      const jsm = await connectionOf(user).jetstreamManager({ checkAPI: false });
      const refused = { code: 'PERMISSIONS_VIOLATION' };

      await expect(jsm.streams.add({ name: 'mine' })).rejects.toMatchObject(refused);
      await expect(jsm.streams.purge('BATON_EVENTS')).rejects.toMatchObject(refused);
      await expect(jsm.streams.delete('KV_baton-runners')).rejects.toMatchObject(refused);
      await expect(jsm.streams.deleteMessage('BATON_EVENTS', 1)).rejects.toMatchObject(refused);
    }
  });

  test.each(['listener', 'provisioner'] as const)(
    'a probe of a %s is answered by its like, and nobody else may probe',
    async (user) => {
      const subject = livenessSubject(`${user}-0`, 'abc');
      connectionOf(user).subscribe(subject, { callback: (_error, probe) => probe.respond() });
      await connectionOf(user).flush();

      await expect(connectionOf(user).request(subject)).resolves.toBeDefined();
      await expect(connectionOf('janitor').request(subject)).rejects.toMatchObject({
        code: 'PERMISSIONS_VIOLATION',
      });
    },
  );
});
