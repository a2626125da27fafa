import { Secret } from '@baton/shared/config';
import { describe, expect, test } from 'vitest';
import {
  registrationRoute,
  rejection,
  scaleSetId,
  service,
  setUp,
  until,
} from './testing/setup.ts';

const hugeIds = ['9007199254740993', '9223372036854775807'];
const acquireRoute = service('POST', `runtime/runnerscalesets/${scaleSetId}/acquirejobs`);
const token = new Secret('queue-secret');

async function setUpQueue() {
  const base = await setUp();
  const queueUrl = `${base.github.url}/queue/1?sig=a%2Fb%20c`;
  return { ...base, access: { queueUrl, token }, poll: { queueUrl, token, maxCapacity: 3 } };
}

describe('getMessage', () => {
  test('sends token, capacity and cursor, and keeps the query of the queue', async () => {
    const { github, queue, poll } = await setUpQueue();
    const body = '{"messageId":12,"messageType":"RunnerScaleSetJobMessages","body":""}';
    github.on('GET /queue/1', { body });

    const message = await queue.getMessage({ ...poll, lastMessageId: hugeIds[0] });
    await queue.getMessage({ ...poll, lastMessageId: '0' });

    expect(message).toMatchObject({ kind: 'jobs', messageId: '12' });
    const [first, second] = github.requests;
    expect(Object.fromEntries(first?.query ?? [])).toEqual({
      sig: 'a/b c',
      lastMessageId: hugeIds[0],
    });
    expect(second?.query.has('lastMessageId')).toBe(false);
    expect(first?.headers).toMatchObject({
      authorization: 'Bearer queue-secret',
      accept: 'application/json; api-version=6.0-preview',
      'x-scalesetmaxcapacity': '3',
    });
  });

  test('202 is no message', async () => {
    const { github, queue, poll } = await setUpQueue();
    github.on('GET /queue/1', { status: 202 });

    expect(await queue.getMessage(poll)).toBeUndefined();
  });

  test.each([
    ['an empty 200', ''],
    ['truncated JSON', '{"messageId":12,"bo'],
  ])('%s is degraded, and not repeated here', async (_case, body) => {
    const { github, queue, poll } = await setUpQueue();
    github.on('GET /queue/1', { body });

    expect(await rejection(queue.getMessage(poll))).toMatchObject({
      kind: 'degraded',
      retryable: true,
      activityId: 'act-1',
    });
    expect(github.requests).toHaveLength(1);
  });

  test('a message that cannot be understood comes whole', async () => {
    const { github, queue, poll } = await setUpQueue();
    const body = '{"messageId":12,"messageType":"RunnerScaleSetJobMessages","body":"oops"}';
    github.on('GET /queue/1', { body });

    expect(await queue.getMessage(poll)).toMatchObject({
      kind: 'unreadable',
      messageId: '12',
      raw: body,
    });
  });

  test('a queue token that ended is unauthorized; the error does not show it', async () => {
    const { github, queue, poll } = await setUpQueue();
    github.on('GET /queue/1', { status: 401, body: 'expired: Bearer queue-secret' });

    const error = await rejection(queue.getMessage(poll));

    expect(error).toMatchObject({ kind: 'unauthorized' });
    expect(String(error) + JSON.stringify(error)).not.toContain('queue-secret');
  });

  test('a poll that hangs ends at 75 s, or with its signal', async () => {
    const { github, queue, poll, clock } = await setUpQueue();
    github.on('GET /queue/1', { fault: 'hang' });
    const controller = new AbortController();

    const late = rejection(queue.getMessage(poll));
    const aborted = rejection(queue.getMessage({ ...poll, signal: controller.signal }));
    await until(() => github.requests.length === 2);
    controller.abort(new Error('capacity changed'));
    expect(String(await aborted)).toContain('capacity changed');
    await clock.advance(74_999);
    expect(clock.sleeping).toBe(1);
    await clock.advance(1);

    expect(await late).toMatchObject({ kind: 'unavailable' });
    await until(() => github.requests.every((request) => request.cancelled));
  });

  test('refuses to poll without a capacity', async () => {
    const { github, queue, poll } = await setUpQueue();

    expect(await rejection(queue.getMessage({ ...poll, maxCapacity: Number.NaN }))).toBeInstanceOf(
      RangeError,
    );
    expect(github.requests).toHaveLength(0);
  });
});

describe('deleteMessage', () => {
  test.each([204, 404])('%i is done', async (status) => {
    const { github, queue, access } = await setUpQueue();
    github.on(`DELETE /queue/1/${hugeIds[1]}`, { status });

    await queue.deleteMessage(hugeIds[1] ?? '', access);

    expect(github.requests[0]?.query.get('sig')).toBe('a/b c');
  });

  test.each([200, 202])('%i is no word that it was done: degraded', async (status) => {
    const { github, queue, access } = await setUpQueue();
    github.on('DELETE /queue/1/12', { status });

    expect(await rejection(queue.deleteMessage('12', access))).toMatchObject({
      kind: 'degraded',
      retryable: true,
      status,
    });
  });

  test('other answers are errors', async () => {
    const { github, queue, access } = await setUpQueue();
    github.on('DELETE /queue/1/12', { status: 401 });

    expect(await rejection(queue.deleteMessage('12', access))).toMatchObject({
      kind: 'unauthorized',
    });
  });
});

describe('acquireJobs', () => {
  test('ids above 2^53 go out and come back digit by digit', async () => {
    const { github, queue } = await setUpQueue();
    github.on(acquireRoute, { body: `{"count":1,"value":[${hugeIds[1]}]}` });

    const result = await queue.acquireJobs(hugeIds, { token });

    expect(result).toEqual({ kind: 'acquired', ids: [hugeIds[1]] });
    expect(github.requests.at(-1)?.body).toBe(`[${hugeIds.join(',')}]`);
    expect(github.requests.at(-1)?.headers.authorization).toBe('Bearer queue-secret');
  });

  test('a plain 404 means that the service assigns by itself', async () => {
    const { github, queue } = await setUpQueue();
    github.on(acquireRoute, { status: 404, body: '404 page not found' });

    expect(await queue.acquireJobs(['1'], { token })).toEqual({ kind: 'unsupported' });
  });

  test('a scale set that is gone, or a credential refused with 404, stays an error', async () => {
    const { github, queue } = await setUpQueue();
    const typeName = 'GitHub.Actions.Runtime.WebApi.RunnerScaleSetNotFoundException';
    github.on(acquireRoute, { status: 404, body: { typeName } });
    const refused = await setUpQueue();
    refused.github.on(registrationRoute, { status: 404 });

    expect(await rejection(queue.acquireJobs(['1'], { token }))).toMatchObject({
      kind: 'scale-set-not-found',
    });
    expect(await rejection(refused.queue.acquireJobs(['1'], { token }))).toMatchObject({
      kind: 'not-found',
    });
  });

  test('asks for nothing when there is nothing to ask for, and refuses what is no id', async () => {
    const { github, queue } = await setUpQueue();

    expect(await queue.acquireJobs([], { token })).toEqual({ kind: 'acquired', ids: [] });
    expect(await rejection(queue.acquireJobs(['1],[2'], { token }))).toBeInstanceOf(RangeError);
    expect(github.requests).toHaveLength(0);
  });
});
