import { eventually, startTestNats, type TestNats } from '@baton/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandSubject, consumers, eventSubject, streams } from '../contracts/index.ts';
import { Health } from '../lifecycle/index.ts';
import { silentLogger } from '../telemetry/index.ts';
import { watchLag } from './lag-watch.ts';

let server: TestNats;
beforeEach(async () => {
  server = await startTestNats();
});
afterEach(() => server[Symbol.asyncDispose]());

const patient = { timeoutMs: 30_000, everyMs: 100 };

test.each([
  ['provisioner', streams.events, consumers.provisionerEvents],
  ['provisioner', streams.commands, consumers.createCommands],
  ['janitor', streams.commands, consumers.deleteCommands],
] as const)(
  'a %s tells that messages of %s wait for %s, until they do not',
  async (user, stream, name) => {
    const admin = (await server.connect('admin')).connection.jetstream();
    const health = new Health();
    const stop = new AbortController();
    const nats = await server.connect(user);
    const options = {
      health,
      log: silentLogger(),
      signal: stop.signal,
    };
    const watching = watchLag(nats, [name], options);
    const subject = {
      [consumers.provisionerEvents]: eventSubject('listener', 'linux', 'demand', 'changed'),
      [consumers.createCommands]: commandSubject('create', 'linux'),
      [consumers.deleteCommands]: commandSubject('delete', 'linux'),
    }[name];
    // What is not its own is none of its lag.
    await admin.publish(eventSubject('cli', 'linux', 'spec', 'changed'), '{}');
    expect(health.degraded.wrongs).toEqual({});

    await admin.publish(subject, '{}');
    await admin.publish(subject, '{}');

    const part = `consumer ${name}`;
    await eventually(
      () =>
        expect(health.degraded.wrongs[part]).toMatch(
          /^2 messages are not handled, the oldest for \d+ s$/,
        ),
      patient,
    );
    const pull = await nats.connection.jetstream().consumers.get(stream, name);
    for await (const message of await pull.fetch({ max_messages: 2, expires: 5_000 }))
      message.ack();
    await eventually(() => expect(health.degraded.wrongs).toEqual({}), patient);
    stop.abort();
    await watching;
  },
  60_000,
);
