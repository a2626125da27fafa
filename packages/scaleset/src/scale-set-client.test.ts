import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { exception, rejection, scaleSetId, service, setUp } from './testing/setup.ts';

const sets = 'runtime/runnerscalesets';
const agents = 'distributedtask/pools/0/agents';
const aSession = {
  sessionId: 's-1',
  ownerName: 'me',
  messageQueueUrl: 'https://queue/x',
  messageQueueAccessToken: 'queue-secret',
  statistics: { totalAssignedJobs: 4 },
};

describe('ScaleSetClient', () => {
  test('finds a scale set by name and group, behind a byte order mark', async () => {
    const { github, client } = await setUp();
    const set = { id: 7, name: 'Web', runnerGroupId: 1, labels: [{ name: 'web', type: 'System' }] };
    const body = `\uFEFF${JSON.stringify({ count: 1, value: [set] })}`;
    github.on(service('GET', sets), { body });

    expect(await client.findScaleSet(1, 'web')).toMatchObject({ id: 7, labels: ['web'] });
    expect(await client.findScaleSet(1, 'other')).toBeUndefined();
    expect(github.requests.at(-1)?.query.get('runnerGroupId')).toBe('1');
    expect(github.requests.at(-1)?.query.get('name')).toBe('other');
  });

  test('creates a scale set with system labels', async () => {
    const { github, client } = await setUp();
    github.on(service('POST', sets), { body: { id: 7, name: 'web', runnerGroupId: 1 } });

    await client.createScaleSet({
      name: 'web',
      runnerGroupId: 1,
      labels: ['web'],
      runnerSetting: { disableUpdate: true },
    });

    expect(JSON.parse(github.requests.at(-1)?.body ?? '')).toEqual({
      name: 'web',
      runnerGroupId: 1,
      labels: [{ type: 'System', name: 'web' }],
      RunnerSetting: { disableUpdate: true },
    });
  });

  test('updates, reads, and deletes a scale set; one that is gone is deleted', async () => {
    const { github, client } = await setUp();
    const set = { id: 7, name: 'web', runnerGroupId: 2 };
    github.on(service('PATCH', `${sets}/7`), { body: set });
    github.on(service('GET', `${sets}/7`), { body: set });
    github.on(
      service('DELETE', `${sets}/7`),
      { status: 204 },
      { status: 404, body: exception('RunnerScaleSetNotFoundException') },
    );

    expect(await client.updateScaleSet(7, { runnerGroupId: 2 })).toMatchObject({
      runnerGroupId: 2,
    });
    expect(await client.getScaleSet(7)).toMatchObject({ id: 7 });
    await client.deleteScaleSet(7);
    await client.deleteScaleSet(7);

    expect(github.requestsTo(service('PATCH', `${sets}/7`))[0]?.body).toBe('{"runnerGroupId":2}');
  });

  test('what is deleted is gone only when GitHub says so', async () => {
    const { github, client } = await setUp();
    for (const path of [`${sets}/7`, `${sets}/7/sessions/s-1`, `${agents}/5`]) {
      github.on(service('DELETE', path), { status: 200 });
    }

    const deletes = [
      client.deleteScaleSet(7),
      client.deleteSession(7, 's-1'),
      client.removeRunner(5),
    ];

    for (const answer of await Promise.all(deletes.map((deleting) => rejection(deleting)))) {
      expect(answer).toMatchObject({ kind: 'degraded', status: 200 });
    }
  });

  test('finds a runner group', async () => {
    const { github, client } = await setUp();
    const group = { id: 1, name: 'Default', isDefaultGroup: true };
    github.on(service('GET', 'runtime/runnergroups/'), { body: { count: 1, value: [group] } });

    expect(await client.findRunnerGroup('default')).toEqual({
      id: 1,
      name: 'Default',
      isDefault: true,
    });
  });

  test('opens, refreshes and deletes a session', async () => {
    const { github, client } = await setUp();
    github.on(service('POST', `${sets}/7/sessions`), { body: aSession });
    github.on(service('PATCH', `${sets}/7/sessions/s-1`), { body: aSession });
    github.on(
      service('DELETE', `${sets}/7/sessions/s-1`),
      { status: 204 },
      { status: 400, body: exception('RunnerScaleSetSessionExpiredException') },
    );

    const session = await client.createSession(scaleSetId, 'me');

    expect(session).toMatchObject({ sessionId: 's-1', queueUrl: 'https://queue/x' });
    expect(session.statistics?.totalAssignedJobs).toBe(4);
    expect(session.queueToken.reveal()).toBe('queue-secret');
    expect(inspect(session) + JSON.stringify(session)).not.toContain('queue-secret');
    expect(github.requests.at(-1)?.headers['user-agent']).toContain('"scale_set_id":7');
    expect(await client.refreshSession(scaleSetId, 's-1')).toMatchObject({ sessionId: 's-1' });
    expect(await client.deleteSession(scaleSetId, 's-1')).toEqual({ kind: 'deleted' });
    expect(await client.deleteSession(scaleSetId, 's-1')).toEqual({ kind: 'gone' });
  });

  test.each([
    [exception('RunnerScaleSetSessionConflictException', 'web already has an active session.')],
    [{ message: 'web already has an active session for owner host-2.' }],
    ['plain text'],
  ])('a 409 on createSession is a session conflict: %j', async (body) => {
    const { github, client } = await setUp();
    github.on(service('POST', `${sets}/7/sessions`), { status: 409, body });

    expect(await rejection(client.createSession(scaleSetId, 'me'))).toMatchObject({
      kind: 'session-conflict',
      retryable: true,
      activityId: 'act-1',
      requestId: 'req-1',
    });
    expect(github.requestsTo(service('POST', `${sets}/7/sessions`))).toHaveLength(1);
  });

  test('a session without a queue is degraded, and names the session', async () => {
    const { github, client } = await setUp();
    const body = { ...aSession, messageQueueUrl: '' };
    github.on(service('POST', `${sets}/7/sessions`), { body });

    const error = await rejection(client.createSession(scaleSetId, 'me'));

    expect(error).toMatchObject({ kind: 'degraded', info: { sessionId: 's-1' } });
    expect(inspect(error)).not.toContain('queue-secret');
  });

  test('a session that was evicted is gone', async () => {
    const { github, client } = await setUp();
    const body = exception('RunnerAdminException', "session ID that doesn't exist in redis");
    github.on(service('PATCH', `${sets}/7/sessions/s-1`), { status: 404, body });

    expect(await rejection(client.refreshSession(scaleSetId, 's-1'))).toMatchObject({
      kind: 'session-gone',
    });
  });

  test('a JIT config is a secret; a taken name is never a session conflict', async () => {
    const { github, client } = await setUp();
    github.on(
      service('POST', `${sets}/7/generatejitconfig`),
      { body: { runner: { id: 5, name: 'r' }, encodedJITConfig: 'jit-secret' } },
      { status: 409, body: { message: 'already has an active session' } },
    );
    const request = { name: 'r', workFolder: '_work' };

    const jit = await client.generateJitConfig(scaleSetId, request);

    expect(jit.runner).toEqual({ id: 5, name: 'r' });
    expect(jit.encodedJitConfig.reveal()).toBe('jit-secret');
    expect(inspect(jit) + JSON.stringify(jit)).not.toContain('jit-secret');
    expect(await rejection(client.generateJitConfig(scaleSetId, request))).toMatchObject({
      kind: 'runner-exists',
    });
  });

  test('reads runners; what GitHub does not say is unknown', async () => {
    const { github, client } = await setUp();
    const value = [
      { id: 5, name: 'r', status: 'online', busy: true },
      { id: 6, name: 's' },
    ];
    github.on(service('GET', agents), { body: { count: 2, value } });
    github.on(service('GET', `${agents}/5`), { body: value[0] });
    github.on(service('GET', `${agents}/9`), {
      status: 404,
      body: exception('AgentNotFoundException'),
    });

    expect(await client.listRunners()).toMatchObject([{ busy: true }, { busy: undefined }]);
    expect(await client.findRunnerByName('s')).toMatchObject({ id: 6, status: undefined });
    expect(await client.getRunner(5)).toMatchObject({ status: 'online' });
    expect(await client.getRunner(9)).toBeUndefined();
  });

  test('removing a runner tells removed, busy and gone apart', async () => {
    const { github, client } = await setUp();
    github.on(
      service('DELETE', `${agents}/5`),
      { status: 204 },
      { status: 400, body: exception('JobStillRunningException') },
      { status: 404, body: exception('AgentNotFoundException') },
      { status: 404, body: '404 page not found' },
    );

    expect(await client.removeRunner(5)).toEqual({ kind: 'removed' });
    expect(await client.removeRunner(5)).toEqual({ kind: 'busy' });
    expect(await client.removeRunner(5)).toEqual({ kind: 'gone' });
    expect(await rejection(client.removeRunner(5))).toMatchObject({ kind: 'not-found' });
  });

  test('acquirable jobs: none (204), and ids above 2^53', async () => {
    const { github, client } = await setUp();
    const body =
      '{"count":1,"value":[{"runnerRequestId":9007199254740993,"repositoryName":"web"}]}';
    github.on(service('GET', `${sets}/7/acquirablejobs`), { status: 204 }, { body });

    expect(await client.acquirableJobs(7)).toEqual([]);
    expect(await client.acquirableJobs(7)).toMatchObject([{ runnerRequestId: '9007199254740993' }]);
  });
});
