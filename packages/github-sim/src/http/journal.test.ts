import { expect, test } from 'vitest';
import { startClient } from '../testing/start-client.ts';

test('the journal names who asks for a session and who polls, by the token that all came from', async () => {
  const client = await startClient();
  await client.authenticate('pat@listener-0');
  const id = await client.scaleSet();
  const session = await client.session(id);
  await client.poll(session);
  await client.authenticate('pat@listener-1');
  expect((await client.openSession(id)).status).toBe(409);

  const entries = await client.control.journal();

  const { sessionId } = session;
  expect(entries).toMatchObject([
    { event: 'asked', by: 'listener-0', scaleSet: 'linux' },
    { event: 'opened', by: 'listener-0', session: sessionId },
    { event: 'held', by: 'listener-0' },
    { event: 'ended' },
    { event: 'asked', by: 'listener-1' },
    { event: 'conflict', by: 'listener-1', session: sessionId },
  ]);
});

test('the journal has every call that was spoiled, a spoiled answer when it was given', async () => {
  const client = await startClient();
  await client.authenticate('pat@listener-0');
  const session = await client.session(await client.scaleSet());
  await client.control.addFault({ route: 'getMessage', action: { kind: 'truncate' } });
  await client.control.addFault({
    route: 'createRegistrationToken',
    first: 1,
    action: { kind: 'status', status: 503 },
  });
  const before = (await client.control.journal()).length;

  await client.poll(session);
  await client.authenticate('pat@listener-1').catch(() => undefined);

  expect(await client.control.journal(before)).toMatchObject([
    { event: 'held' },
    { event: 'ended' },
    { event: 'spoiled', scaleSet: 'linux', by: 'listener-0', fault: { kind: 'truncate' } },
    {
      event: 'spoiled',
      scaleSet: '',
      by: 'listener-1',
      route: 'createRegistrationToken',
      fault: { kind: 'status', status: 503 },
    },
  ]);
});

test('a call whose connection is dropped was spoiled, once', async () => {
  const client = await startClient();
  const session = await client.session(await client.scaleSet());
  await client.control.addFault({
    route: 'getMessage',
    action: { kind: 'drop', when: 'before-headers' },
  });
  const before = (await client.control.journal()).length;

  await expect(client.poll(session)).rejects.toThrow('fetch failed');

  expect(await client.control.journal(before)).toMatchObject([{ event: 'spoiled' }]);
});

test('a poll that an outage ends was spoiled', async () => {
  const client = await startClient({ pollHoldMs: 10_000 });
  const polling = client.poll(await client.session(await client.scaleSet()));
  while ((await client.control.state()).pollsHeld === 0) await Promise.resolve();

  await client.control.outage(50, 502);

  expect((await polling).status).toBe(502);
  expect((await client.control.journal()).at(-1)).toMatchObject({
    event: 'spoiled',
    route: 'getMessage',
    fault: { kind: 'status', status: 502 },
  });
});
