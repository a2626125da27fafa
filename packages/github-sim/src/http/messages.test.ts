import { describe, expect, test } from 'vitest';
import type { SimControl } from '../control/sim-control.ts';
import { startClient } from '../testing/start-client.ts';

describe('messages over HTTP', () => {
  test('a message comes again until it is deleted', async () => {
    const client = await startClient();
    const session = await client.session(await client.scaleSet());
    await client.control.addJobs({ scaleSet: 'linux', count: 2 });

    const first = await client.message(session, { capacity: 1 });
    const again = await client.message(session, { capacity: 1 });
    const deleted = await client.ack(session, first.messageId);
    const unknown = await client.ack(session, first.messageId);
    const empty = await client.poll(session, { capacity: 1 });

    expect(first).toMatchObject({ messageId: 100_000_001, statistics: { totalAssignedJobs: 1 } });
    expect(again.messageId).toBe(first.messageId);
    expect([deleted.status, unknown.status, empty.status]).toEqual([204, 404, 202]);
    expect(JSON.parse(first.body)).toMatchObject([
      { messageType: 'JobAssigned', runnerRequestId: 0, workflowRunId: 0 },
    ]);
  });

  test('a queue URL without its own query, or without an api-version, is refused', async () => {
    const client = await startClient();
    const session = await client.session(await client.scaleSet());
    const headers = { Authorization: `Bearer ${session.messageQueueAccessToken}` };
    const bare = session.messageQueueUrl.split('?')[0] ?? '';
    const accept = { Accept: 'application/json; api-version=6.0-preview' };

    expect((await fetch(bare, { headers: { ...headers, ...accept } })).status).toBe(400);
    expect((await fetch(session.messageQueueUrl, { headers })).status).toBe(400);
  });

  test('github.com has no acquirejobs', async () => {
    const client = await startClient();
    const id = await client.scaleSet();
    const session = await client.session(id);
    const headers = { Authorization: `Bearer ${session.messageQueueAccessToken}` };
    const path = `runtime/runnerscalesets/${id}/acquirejobs`;

    const answer = await client.api(path, { method: 'POST', body: [1], headers });

    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toContain('text/plain');
    expect(await answer.text()).toBe('404 page not found');
  });

  test('ghes offers jobs and assigns those that are acquired', async () => {
    const client = await startClient({ dialect: 'ghes' });
    const id = await client.scaleSet();
    const session = await client.session(id);
    await client.control.addJobs({ scaleSet: 'linux', count: 2 });
    const offer = await client.message(session);
    const [requestId = ''] = /(?<="runnerRequestId":)\d+/.exec(offer.body) ?? [];

    const acquired = await fetch(
      `${client.tenant}_apis/runtime/runnerscalesets/${id}/acquirejobs?api-version=6.0-preview`,
      {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${session.messageQueueAccessToken}`,
          'Content-Type': 'application/json',
        },
        body: `[${requestId}, 17]`,
      },
    );
    const assigned = await client.message(session, { cursor: offer.messageId });
    const left = await client.api(`runtime/runnerscalesets/${id}/acquirablejobs`);

    expect(await acquired.text()).toBe(`{"count":1,"value":[${requestId}]}`);
    expect(BigInt(requestId)).toBeGreaterThan(2n ** 53n);
    expect(assigned.body).toContain('"messageType":"JobAssigned"');
    expect(await left.json()).toMatchObject({ count: 1 });
  });
});

describe('faults over HTTP', () => {
  test('empty, cut off, refused, dropped and unanswered polls', async () => {
    const client = await startClient();
    const session = await client.session(await client.scaleSet());
    await client.control.addJobs({ scaleSet: 'linux' });
    const during = async (action: Parameters<SimControl['addFault']>[0]['action']) => {
      await client.control.addFault({ id: 'it', route: 'getMessage', action });
      return await client.poll(session);
    };

    const empty = await during({ kind: 'empty200' });
    expect([empty.status, await empty.text()]).toEqual([200, '']);
    const cut = await during({ kind: 'truncate' });
    await expect(cut.json()).rejects.toThrow(SyntaxError);
    const refused = await during({ kind: 'status', status: 429, headers: { 'Retry-After': '7' } });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '7']);
    await expect(during({ kind: 'drop', when: 'before-headers' })).rejects.toThrow('fetch failed');
    const broken = await during({ kind: 'drop', when: 'mid-body' });
    await expect(broken.text()).rejects.toThrow('terminated');
    await client.control.clearFaults();

    expect((await client.poll(session)).status).toBe(200);
  });

  test('an outage ends held polls and answers everything but the control API', async () => {
    const client = await startClient({ pollHoldMs: 10_000 });
    const session = await client.session(await client.scaleSet());
    const polled = client.poll(session);
    await expect.poll(async () => (await client.control.state()).pollsHeld).toBe(1);

    await client.control.outage(60_000);

    expect((await polled).status).toBe(503);
    expect((await client.api('runtime/runnerscalesets')).status).toBe(503);
    await client.control.clearFaults();
    expect((await client.api('runtime/runnerscalesets')).status).toBe(200);
  });
});
