import { describe, expect, test } from 'vitest';
import { sessionSchema } from '../testing/sim-client.ts';
import { startClient, typeName } from '../testing/start-client.ts';

describe('tokens over HTTP', () => {
  test('a wrong PAT is refused', async () => {
    const { url } = await startClient();
    const answer = await fetch(`${url}/api/v3/orgs/acme/actions/runners/registration-token`, {
      method: 'POST',
      headers: { Authorization: 'Bearer wrong' },
    });

    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ message: 'Bad credentials' });
  });

  test('answers of the REST API say what is left of the rate limit', async () => {
    const { url } = await startClient();
    const remaining = async () => {
      const answer = await fetch(`${url}/api/v3/orgs/acme/actions/runners/registration-token`, {
        method: 'POST',
        headers: { Authorization: 'Bearer pat' },
      });
      expect(answer.headers.get('x-ratelimit-limit')).toBe('15000');
      const resetInS = Number(answer.headers.get('x-ratelimit-reset')) - Date.now() / 1_000;
      expect(resetInS).toBeGreaterThan(3_500);
      return Number(answer.headers.get('x-ratelimit-remaining'));
    };
    const before = await remaining();

    expect(await remaining()).toBe(before - 1);
  });

  test('the admin JWT says when it ends, and another token is refused in its place', async () => {
    const client = await startClient({ adminTokenMs: 90_000 });
    const claims = Buffer.from(client.admin.split('.')[1] ?? '', 'base64url').toString();
    const { exp, iat } = JSON.parse(claims) as { exp: number; iat: number };
    const headers = { Authorization: 'Bearer pat' };
    const refused = await client.api('runtime/runnerscalesets', { headers });

    expect(exp - iat).toBeGreaterThanOrEqual(90);
    expect(exp - iat).toBeLessThanOrEqual(91);
    expect(refused.status).toBe(401);
    expect(await typeName(refused)).toContain('InvalidTokenException');
  });

  test('a request without api-version and an unknown path are refused', async () => {
    const client = await startClient();
    const headers = { Authorization: `Bearer ${client.admin}` };
    const path = `${client.tenant}_apis/runtime/runnerscalesets`;

    expect((await fetch(path, { headers })).status).toBe(400);
    expect((await client.api('runtime/nothing')).status).toBe(404);
  });

  test('a replaced personal token is refused with all that was had for it, the new one is taken', async () => {
    const client = await startClient();
    const url = `${client.url}/api/v3/orgs/acme/actions/runners/registration-token`;
    const ask = async (token: string) => {
      const headers = { Authorization: `Bearer ${token}` };
      return (await fetch(url, { method: 'POST', headers })).status;
    };
    await client.control.replaceToken('rotated');

    expect([await ask('pat'), await ask('rotated')]).toEqual([401, 201]);
    expect((await client.api('runtime/runnerscalesets')).status).toBe(401);
  });

  test('expired tokens of a kind are refused', async () => {
    const client = await startClient();
    const session = await client.session(await client.scaleSet());

    await client.control.expireTokens('queue');
    expect((await client.poll(session)).status).toBe(401);
    await client.control.expireTokens('admin');

    expect((await client.api('runtime/runnerscalesets')).status).toBe(401);
  });
});

describe('scale sets over HTTP', () => {
  test('a taken name and an unknown id are refused', async () => {
    const client = await startClient();
    const id = await client.scaleSet();
    const body = { name: 'linux', runnerGroupId: 1 };
    const taken = await client.api('runtime/runnerscalesets', { method: 'POST', body });
    const unknown = await client.api('runtime/runnerscalesets/99');
    const found = await client.api('runtime/runnerscalesets?runnerGroupId=1&name=linux');

    expect([taken.status, await typeName(taken)]).toEqual([
      400,
      'GitHub.Actions.Runtime.WebApi.RunnerScaleSetExistsException',
    ]);
    expect([unknown.status, await typeName(unknown)]).toEqual([
      404,
      'GitHub.Actions.Runtime.WebApi.RunnerScaleSetNotFoundException',
    ]);
    expect(await found.json()).toMatchObject({ count: 1, value: [{ id, name: 'linux' }] });
  });
});

describe('sessions over HTTP', () => {
  test('a second session is refused with type name and owner', async () => {
    const client = await startClient();
    const id = await client.scaleSet();
    await client.session(id);

    const refused = await client.openSession(id, 'other');

    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({
      typeName: 'GitHub.Actions.Runtime.WebApi.RunnerScaleSetSessionConflictException',
      message: 'The actions runner scaleset linux already has an active session for owner me.',
    });
  });

  test('a second session is refused without a type name when that is asked for', async () => {
    const client = await startClient({ conflictWording: 'message-only' });
    const id = await client.scaleSet();
    await client.session(id);

    expect(await (await client.openSession(id)).json()).toEqual({
      message: 'The actions runner scaleset linux already has an active session.',
    });
  });

  test('a session can be refreshed and deleted from elsewhere, then made anew', async () => {
    const client = await startClient();
    const id = await client.scaleSet();
    const session = await client.session(id);
    const path = `runtime/runnerscalesets/${id}/sessions/${session.sessionId}`;

    const refreshed = sessionSchema.parse(
      await (await client.api(path, { method: 'PATCH' })).json(),
    );
    const polled = await client.poll(refreshed);
    const deleted = await client.api(path, { method: 'DELETE' });
    const again = await client.api(path, { method: 'DELETE' });

    expect(refreshed.messageQueueAccessToken).not.toBe(session.messageQueueAccessToken);
    expect([polled.status, deleted.status, again.status]).toEqual([202, 204, 400]);
    expect((await client.openSession(id)).status).toBe(200);
  });

  test('an evicted session gets 401 on its poll and 404 on its refresh', async () => {
    const client = await startClient({ pollHoldMs: 10_000 });
    const id = await client.scaleSet();
    const session = await client.session(id);
    const polled = client.poll(session);
    await expect.poll(async () => (await client.control.state()).pollsHeld).toBe(1);

    await client.control.evictSession('linux');

    const path = `runtime/runnerscalesets/${id}/sessions/${session.sessionId}`;
    const refreshed = await client.api(path, { method: 'PATCH' });
    expect((await polled).status).toBe(401);
    expect([refreshed.status, await typeName(refreshed)]).toEqual([
      404,
      'GitHub.Actions.Runtime.WebApi.RunnerAdminException',
    ]);
  });

  test('a dead session is freed after its expiry', async () => {
    const client = await startClient({ sessionExpiryMs: 150 });
    const id = await client.scaleSet();
    await client.session(id);

    expect((await client.openSession(id)).status).toBe(409);

    await expect.poll(async () => (await client.openSession(id)).status).toBe(200);
  });
});
