import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { Secret } from '@baton/shared/config';
import { ConfigError } from '@baton/shared/errors';
import { describe, expect, test } from 'vitest';
import { parseConfigUrl } from './config-url.ts';
import type { AppCredential } from './credential.ts';
import { GitHubApiError } from './errors.ts';
import {
  aRegistration,
  aRestToken,
  minuteMs,
  pat,
  registerRoute,
  registrationRoute,
  rejection,
  setUp,
  until,
} from './testing/setup.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const installationRoute = 'POST /api/v3/app/installations/42/access_tokens';

function anApp(host: string): AppCredential {
  return {
    kind: 'app',
    clientId: 'Iv1.abc',
    installationId: 42,
    privateKey: new Secret(privateKey),
    hosts: [host],
  };
}

describe('TokenSource with a PAT', () => {
  test('runs the chain once, for many callers and for equal credentials', async () => {
    const { github, sources, tokens, credential, configUrl } = await setUp();
    const same = sources.get(parseConfigUrl(`${configUrl.url}/`), { ...credential });

    const [first] = await Promise.all([
      tokens.connection(),
      tokens.connection(),
      same.connection(),
    ]);
    await tokens.connection();

    expect(first.baseUrl.href).toBe(`${github.url}/tenant/abc/`);
    expect(github.requests).toHaveLength(2);
    expect(github.requestsTo(registrationRoute)[0]?.headers.authorization).toBe(`Bearer ${pat}`);
    const [register] = github.requestsTo(registerRoute);
    expect(register?.headers.authorization).toBe('RemoteAuth AREG');
    expect(JSON.parse(register?.body ?? '')).toEqual({
      url: configUrl.url,
      runner_event: 'register',
    });
  });

  test('renews the admin token before its end with the registration token it has', async () => {
    const { github, tokens, clock } = await setUp();
    await tokens.connection();
    await clock.advance(19 * minuteMs);
    github.on(registerRoute, aRegistration(github, clock.now(), 'second'));

    await tokens.connection();

    expect(github.requestsTo(registrationRoute)).toHaveLength(1);
    expect(github.requestsTo(registerRoute)).toHaveLength(2);
  });

  test('a registration that is refused at first is repeated with backoff', async () => {
    const { github, tokens, clock } = await setUp();
    const good = aRegistration(github, clock.now());
    github.on(registerRoute, { status: 403 }, { status: 401 }, { status: 503 }, good);

    const connection = tokens.connection();
    for (const tries of [1, 2, 3]) {
      // Asleep: the deadline of the renewal and the backoff (that of the registration token is over).
      await until(() => github.requestsTo(registerRoute).length === tries && clock.sleeping === 2);
      await clock.advance(5_000);
    }
    await connection;

    expect(github.requestsTo(registerRoute)).toHaveLength(4);
    expect(github.requestsTo(registrationRoute)).toHaveLength(2);
  });

  test.each([
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'not-found'],
  ])('a token refused with %i says by whom, for what, and what to do', async (status, kind) => {
    const { github, tokens } = await setUp();
    github.on(registrationRoute, { status, body: { message: `Bad credentials ${pat}` } });

    const error = await rejection(tokens.connection());

    expect(error).toBeInstanceOf(GitHubApiError);
    expect(error).toMatchObject({ kind, retryable: false });
    expect(String(error)).toContain(
      `${github.host} refused the personal access token for organization acme (HTTP ${status}): check`,
    );
    expect(dump(error)).not.toContain(pat);
  });

  test('the credential is not sent to a host that it does not name', async () => {
    const { github, sources, credential, configUrl } = await setUp();

    const get = () => sources.get(configUrl, { ...credential, hosts: ['github.com'] });

    expect(get).toThrow(ConfigError);
    expect(get).toThrow(`may not be sent to ${github.host}`);
    expect(github.requests).toHaveLength(0);
  });
});

describe('TokenSource with a GitHub App', () => {
  test('signs a JWT of nine minutes and exchanges it', async () => {
    const { github, sources, configUrl, clock } = await setUp();
    github.on(installationRoute, { status: 201, body: aRestToken('ghs_inst', clock.now()) });

    await sources.get(configUrl, anApp(github.host)).connection();

    const jwt = github.requestsTo(installationRoute)[0]?.headers.authorization?.slice(7) ?? '';
    const [head = '', payload = '', signature = ''] = jwt.split('.');
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const now = clock.now() / 1000;
    expect(claims).toEqual({ iss: 'Iv1.abc', iat: now - 60, exp: now + 540 });
    expect(
      verify(
        'sha256',
        Buffer.from(`${head}.${payload}`),
        createPublicKey(publicKey),
        Buffer.from(signature, 'base64url'),
      ),
    ).toBe(true);
    expect(github.requestsTo(registrationRoute)[0]?.headers.authorization).toBe('Bearer ghs_inst');
  });

  test('shares the installation token between config URLs', async () => {
    const { github, sources, configUrl, clock } = await setUp();
    github.on(installationRoute, { status: 201, body: aRestToken('ghs_inst', clock.now()) });
    github.on('POST /api/v3/repos/acme/web/actions/runners/registration-token', {
      status: 201,
      body: aRestToken('AREG2', clock.now()),
    });

    await sources.get(configUrl, anApp(github.host)).connection();
    await sources.get(parseConfigUrl(`${configUrl.url}/web`), anApp(github.host)).connection();

    expect(github.requestsTo(installationRoute)).toHaveLength(1);
  });

  test('an installation token that was revoked is replaced once', async () => {
    const { github, sources, configUrl, clock } = await setUp();
    github.on(installationRoute, { status: 201, body: aRestToken('ghs_inst', clock.now()) });
    github.on(
      registrationRoute,
      { status: 401 },
      { status: 201, body: aRestToken('AREG', clock.now()) },
    );

    await sources.get(configUrl, anApp(github.host)).connection();

    expect(github.requestsTo(installationRoute)).toHaveLength(2);
  });

  test('a key that cannot be used is a configuration error that does not quote it', async () => {
    const { github, sources, configUrl } = await setUp();
    const broken = { ...anApp(github.host), privateKey: new Secret('-----BEGIN hunter2') };

    const error = await rejection(sources.get(configUrl, broken).connection());

    expect(error).toBeInstanceOf(ConfigError);
    expect(dump(error)).not.toContain('hunter2');
  });

  test('a refused App says which one', async () => {
    const { github, sources, configUrl } = await setUp();
    github.on(installationRoute, { status: 404 });

    const error = await rejection(sources.get(configUrl, anApp(github.host)).connection());

    expect(String(error)).toContain('refused the GitHub App Iv1.abc (installation 42)');
    expect(dump(error)).not.toContain('PRIVATE KEY');
  });
});

/** Everything that a log could show of an error. */
function dump(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error);
  return [error.stack, JSON.stringify(error), error.cause ? dump(error.cause) : ''].join(' ');
}
