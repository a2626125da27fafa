import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parseConfigUrl } from './config-url.ts';
import { GitHubApiError } from './errors.ts';
import {
  aRegistration,
  exception,
  pat,
  registerRoute,
  rejection,
  scaleSetId,
  service,
  setUp,
  until,
} from './testing/setup.ts';

const sets = 'runtime/runnerscalesets';
const agents = 'distributedtask/pools/0/agents';

describe('AdminApi', () => {
  test('renews a refused admin token once and repeats', async () => {
    const { github, client, clock } = await setUp();
    const refused = { status: 401, body: exception('InvalidTokenException') };
    github.on(service('GET', `${sets}/7`), refused, { body: { id: 7, name: 'web' } });
    github.on(
      registerRoute,
      aRegistration(github, clock.now(), 'first'),
      aRegistration(github, clock.now(), 'second'),
    );

    await client.getScaleSet(7);

    const [first, second] = github.requestsTo(service('GET', `${sets}/7`));
    expect(first?.headers.authorization).not.toBe(second?.headers.authorization);
  });

  test('gives up when the new token is refused too', async () => {
    const { github, client } = await setUp();
    github.on(service('DELETE', `${agents}/5`), { status: 401 });

    expect(await rejection(client.removeRunner(5))).toMatchObject({ kind: 'unauthorized' });
    expect(github.requestsTo(service('DELETE', `${agents}/5`))).toHaveLength(2);
    expect(github.requestsTo(registerRoute)).toHaveLength(2);
  });

  test('a read waits as long as Retry-After says, then succeeds', async () => {
    const { github, client, clock } = await setUp();
    const route = service('GET', `${sets}/7`);
    const limited = { status: 429, headers: { 'retry-after': '12' } };
    github.on(route, limited, { fault: 'reset' }, { body: { id: 7, name: 'web' } });

    const found = client.getScaleSet(7);
    await until(() => clock.sleeping === 2 && github.requestsTo(route).length === 1);
    await clock.advance(11_999);
    expect(github.requestsTo(route)).toHaveLength(1);
    await clock.advance(1);
    await until(() => clock.sleeping === 2 && github.requestsTo(route).length === 2);
    await clock.advance(1_000);

    expect(await found).toMatchObject({ id: 7 });
  });

  test('a Retry-After beyond the deadline fails at once and says how long', async () => {
    const { github, client } = await setUp();
    github.on(service('GET', `${sets}/7`), { status: 503, headers: { 'retry-after': '60' } });

    expect(await rejection(client.getScaleSet(7))).toMatchObject({
      kind: 'unavailable',
      retryAfterMs: 60_000,
    });
    expect(github.requestsTo(service('GET', `${sets}/7`))).toHaveLength(1);
  });

  test('a write that failed is not repeated', async () => {
    const { github, client } = await setUp();
    github.on(service('POST', sets), { fault: 'reset' });

    const spec = { name: 'web', runnerGroupId: 1, labels: [] };
    expect(await rejection(client.createScaleSet(spec))).toMatchObject({
      kind: 'unavailable',
      retryable: true,
    });
    expect(github.requestsTo(service('POST', sets))).toHaveLength(1);
  });

  test('is cancelled at its deadline', async () => {
    const { github, client, clock } = await setUp();
    const route = service('POST', `${sets}/7/sessions`);
    github.on(route, { fault: 'hang' });

    const failed = rejection(client.createSession(scaleSetId, 'me'));
    await until(() => github.requestsTo(route).length === 1);
    await clock.advance(30_000);

    expect(await failed).toMatchObject({ kind: 'unavailable' });
    expect(String(await failed)).toContain('did not answer within 30000 ms');
    await until(() => github.requestsTo(route)[0]?.cancelled === true);
  });

  test('is cancelled by its signal, and rejects with its reason', async () => {
    const { github, client } = await setUp();
    const route = service('GET', `${sets}/7`);
    github.on(route, { fault: 'hang' });
    const controller = new AbortController();
    const reason = new Error('lease lost');

    const failed = rejection(client.getScaleSet(7, { signal: controller.signal }));
    await until(() => github.requestsTo(route).length === 1);
    controller.abort(reason);

    expect(await failed).toBe(reason);
    await until(() => github.requestsTo(route)[0]?.cancelled === true);
  });

  test('a refused connection names the host and what was tried', async () => {
    const { sources, credential } = await setUp();
    const host = `127.0.0.1:${await aClosedPort()}`;
    const tokens = sources.get(parseConfigUrl(`http://${host}/acme`), {
      ...credential,
      hosts: [host],
    });

    const error = await rejection(tokens.connection());

    expect(error).toBeInstanceOf(GitHubApiError);
    expect(error).toMatchObject({ kind: 'unavailable', retryable: true });
    expect(String(error)).toContain(
      `create registration token at ${host}: ${host} cannot be reached`,
    );
    expect(inspect(error, { depth: 10 })).not.toContain(pat);
  });

  test('closing the transport ends what is under way', async () => {
    const { github, client, transport } = await setUp();
    const route = service('DELETE', `${sets}/7`);
    github.on(route, { fault: 'hang' });

    const failed = rejection(client.deleteScaleSet(7));
    await until(() => github.requestsTo(route).length === 1);
    await transport.close();

    expect(await failed).toMatchObject({ kind: 'unavailable' });
  });
});

async function aClosedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
