import { inspect } from 'node:util';
import { Secret } from '@baton/shared/config';
import { eventually, startPrivateGitHub } from '@baton/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { clientsFor } from './testing/private-network.ts';
import { rejection } from './testing/setup.ts';

type Options = Parameters<typeof startPrivateGitHub>[0];

async function aPrivateGitHub(options?: Options) {
  const github = await startPrivateGitHub(options);
  onTestFinished(() => github[Symbol.asyncDispose]());
  return github;
}

const spec = { name: 'web', runnerGroupId: 1, labels: ['web'] };

describe('behind a proxy with a login, and a private authority', () => {
  test('every call goes through the proxy: tokens, scale sets, sessions, polls and runners', async () => {
    const github = await aPrivateGitHub({ sim: { pollHoldMs: 50, dialect: 'ghes' } });
    const { client, queue } = clientsFor(github);

    const { id } = await client.createScaleSet(spec);
    expect(await client.findScaleSet(1, 'web')).toMatchObject({ id });
    expect(await client.updateScaleSet(id, { labels: ['web', 'big'] })).toMatchObject({
      labels: ['web', 'big'],
    });
    expect(await client.getScaleSet(id)).toMatchObject({ labels: ['web', 'big'] });
    expect(await client.findRunnerGroup('Default')).toMatchObject({ id: 1 });
    const { sessionId } = await client.createSession(id, 'me');
    const { queueUrl, queueToken: token } = await client.refreshSession(id, sessionId);
    expect(await queue(id).getMessage({ queueUrl, token, maxCapacity: 1 })).toBeUndefined();
    await queue(id).deleteMessage('100000001', { queueUrl, token });
    expect(await client.acquirableJobs(id)).toEqual([]);
    expect(await queue(id).acquireJobs(['1'], { token })).toEqual({ kind: 'acquired', ids: [] });
    const { runner } = await client.generateJitConfig(id, { name: 'web-1', workFolder: '_work' });
    expect(await client.getRunner(runner.id)).toMatchObject({ name: 'web-1' });
    expect(await client.findRunnerByName('web-1')).toMatchObject({ id: runner.id });
    expect(await client.listRunners()).toHaveLength(1);
    await client.removeRunner(runner.id);
    await client.deleteSession(id, sessionId);
    await client.deleteScaleSet(id);

    // The host's name is known to the proxy alone.
    const { asked } = github.proxy;
    expect(new Set(asked.map(({ target }) => target))).toEqual(new Set([`${github.host}:443`]));
    expect(asked.every(({ status }) => status === 200)).toBe(true);
  });

  test('a poll has a tunnel of its own, so that an admin call need not wait for it', async () => {
    const github = await aPrivateGitHub({ sim: { pollHoldMs: 20_000 } });
    const { client, queue } = clientsFor(github);
    const { id } = await client.createScaleSet(spec);
    const { queueUrl, queueToken: token } = await client.createSession(id, 'me');
    const stop = new AbortController();
    const poll = rejection(
      queue(id).getMessage({ queueUrl, token, maxCapacity: 1, signal: stop.signal }),
    );
    await eventually(() => expect(github.proxy.open).toBeGreaterThan(1));

    expect(await client.getScaleSet(id)).toMatchObject({ id });

    stop.abort(new Error('stop'));
    expect(await poll).toBe(stop.signal.reason);
  });

  test.each([
    ['without a login', (url: URL) => Object.assign(url, { username: '', password: '' })],
    ['with a wrong password', (url: URL) => Object.assign(url, { password: 'wrong-password' })],
  ])('%s the error names the proxy and what to do, and no password', async (_what, change) => {
    const github = await aPrivateGitHub();
    const url = change(new URL(github.proxyUrl));
    const { client } = clientsFor(github, { httpsProxyUpper: new Secret(url.href) });

    const error = await rejection(client.getScaleSet(1));

    expect(error).toMatchObject({ kind: 'unavailable' });
    expect(String(error)).toContain(
      `the proxy ${github.proxy.url} wants a login (HTTP 407): set the right user and password in HTTPS_PROXY`,
    );
    expect(inspect(error, { depth: 10 })).not.toMatch(/-password/);
  });

  test('a host that the proxy does not allow is told as such', async () => {
    const github = await aPrivateGitHub();
    const { clients } = clientsFor(github);
    const other = 'https://other.private.test/acme';
    clients.credentials.get('github');

    const error = await rejection(
      clients.transport.send({
        what: 'look',
        method: 'GET',
        url: new URL(other),
        auth: { scheme: 'Bearer', token: new Secret('t') },
        signal: AbortSignal.timeout(5_000),
      }),
    );

    expect(String(error)).toContain(
      `the proxy ${github.proxy.url} refused to connect to other.private.test (HTTP 403): allow it there, or add the host to NO_PROXY`,
    );
  });

  test('a proxy that is not there is told as such', async () => {
    const github = await aPrivateGitHub();
    const { client } = clientsFor(github, { httpsProxyUpper: new Secret('http://127.0.0.1:1') });

    expect(String(await rejection(client.getScaleSet(1)))).toContain(
      `create registration token at ${github.host}: the proxy http://127.0.0.1:1 cannot be reached (ECONNREFUSED): start it, or change HTTPS_PROXY`,
    );
  });

  test('an authority that is not trusted is told with the whole chain', async () => {
    const github = await aPrivateGitHub();
    const { client } = clientsFor(github, { caFile: undefined });

    const text = String(await rejection(client.getScaleSet(1)));

    expect(text).toContain(
      `(chain: CN=${github.host} (issued by CN=Test Intermediate) <- CN=Test Intermediate (issued by CN=Test Root))`,
    );
    expect(text).toContain('set BATON_CA_FILE to a PEM file with the certificate of CN=Test Root');
  });

  test.each([
    [
      'a chain without its intermediate',
      { incomplete: true },
      /presents its certificate without those in between.*the certificate of CN=Test Intermediate/,
    ],
    [
      'a certificate for another host name',
      { hosts: ['wrong.private.test'] },
      /is for other host names \(DNS:wrong\.private\.test\)/,
    ],
    [
      'a certificate that has expired',
      { endsInDays: -1 },
      /has expired .*the first one ended \d{4}-/,
    ],
  ])('%s is told as such', async (_what, certificate, expected) => {
    const github = await aPrivateGitHub({ certificate });
    const { client } = clientsFor(github);

    expect(String(await rejection(client.getScaleSet(1)))).toMatch(expected);
  });

  test('a file of certificates that cannot be used is a configuration error', async () => {
    const github = await aPrivateGitHub();
    const use = (caFile: string) => () => clientsFor(github, { caFile });

    expect(use('/nowhere/ca.pem')).toThrow('BATON_CA_FILE /nowhere/ca.pem cannot be used');
    expect(use(github.credentialsFile)).toThrow('it holds no PEM certificate');
  });
});
