import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProviderError } from '@baton/providers';
import { Secret } from '@baton/shared/config';
import { AppError, ConfigError, ContractError, TimeoutError } from '@baton/shared/errors';
import { Metrics, silentLogger } from '@baton/shared/telemetry';
import { systemClock } from '@baton/shared/time';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { loadCliConfig } from '../../packages/cli/src/cli-config.ts';
import {
  EngineFailure,
  EngineUnreachable,
} from '../../packages/providers/src/docker/engine-failure.ts';
import { ProtocolError } from '../../packages/providers/src/external/local/command-input.ts';
import { KubernetesApiError } from '../../packages/providers/src/kubernetes/api-error.ts';
import { GitHubApiError, GitHubClients } from '../../packages/scaleset/src/index.ts';
import { loadJanitorConfig } from '../../services/janitor/src/config.ts';
import { loadListenerConfig } from '../../services/listener/src/config.ts';
import { EndOfSession } from '../../services/listener/src/serve-session-end.ts';
import { StuckError } from '../../services/listener/src/step-watch.ts';
import { loadProvisionerConfig } from '../../services/provisioner/src/config.ts';
import { logged, printed } from './every-way.ts';
import { environmentOfSecrets, knownSecrets, secretsIn } from './known-secrets.ts';

const dir = mkdtempSync(join(tmpdir(), 'baton-secrets-'));
afterAll(() => rmSync(dir, { recursive: true }));
const env = environmentOfSecrets(dir);
const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = globSync(
  ['services/*/src/**/*.ts', 'packages/{shared,scaleset,providers,cli}/src/**/*.ts'],
  {
    cwd: root,
  },
)
  .filter((file) => !/\.test\.ts$|\/testing\//.test(file))
  .map((file) => readFileSync(root + file, 'utf8'))
  .join('\n');

const variables = [...sources.matchAll(/variable: '(\w+)'/g)].map(([, name = '']) => name);
const secret = new Secret(knownSecrets.pat);
const inside = { details: { secret, deep: { secrets: [secret] } }, cause: secret };

test('the search finds what is printed', () => {
  for (const value of Object.values(knownSecrets)) {
    expect(secretsIn(printed({ value }))).not.toEqual([]);
    expect(secretsIn(printed(new Error(value)))).not.toEqual([]);
    expect(secretsIn(Buffer.from(value).toString('base64'))).not.toEqual([]);
  }
});

describe('a configuration', () => {
  test.each([
    ['listener', loadListenerConfig],
    ['provisioner', loadProvisionerConfig],
    ['janitor', loadJanitorConfig],
    ['cli', loadCliConfig],
  ])('of the %s shows no secret', (_service, load: (from: typeof env) => object) => {
    const config = load(env);

    expect(secretsIn(printed(config))).toEqual([]);
  });

  test('knows no variable with a secret that is not set here', () => {
    const secretive = variables.filter((name) =>
      /PASSWORD|SECRET|TOKEN|KEY|PROXY|HEADERS/i.test(name),
    );

    const missing = secretive.filter(
      (name) => !/^no_proxy$/i.test(name) && !(name in env) && !(`${name}_FILE` in env),
    );
    expect(secretive.length).toBeGreaterThan(5);
    expect(missing).toEqual([]);
  });

  test('that is wrong is told without what is in it', () => {
    const value = `${knownSecrets.pat} / ${knownSecrets.natsPassword}`;
    const wrong = Object.fromEntries(variables.map((name) => [name, value]));
    for (const load of [loadListenerConfig, loadProvisionerConfig, loadJanitorConfig]) {
      const error = failureOf(() => load(wrong));

      expect(error).toBeInstanceOf(ConfigError);
      expect(secretsIn(printed(error))).toEqual([]);
    }
  });
});

describe('an error', () => {
  const classes: Record<string, unknown> = {
    AppError: new AppError('unexpected', 'a bug', inside),
    ConfigError: new ConfigError('wrong', inside),
    TimeoutError: new TimeoutError('late', inside),
    ContractError: new ContractError('not understood', inside),
    GitHubApiError: new GitHubApiError('refused', { kind: 'refused', host: 'h' }, inside),
    ProviderError: new ProviderError('bug', 'broken', inside),
    KubernetesApiError: new KubernetesApiError('denied', 'no', { status: 403 }),
    EngineFailure: new EngineFailure(500, 'no'),
    EngineUnreachable: new EngineUnreachable(new Error('no', { cause: secret })),
    ProtocolError: new ProtocolError('no', { cause: secret }),
    StuckError: new StuckError('the loop', 1_000),
    EndOfSession: new EndOfSession('drained'),
  };
  /** Not exported: they take texts and numbers of their own module alone. */
  const inner = [
    'ClaimLostError',
    'IdentityTakenError',
    'LeaseLostError',
    'ProxyRefusal',
    'Refusal',
  ];

  test('has no class that is not tried here', () => {
    const found = [...sources.matchAll(/^(?:export )?class (\w+) extends \w*Error\b/gm)].map(
      ([, name = '']) => name,
    );

    expect(found.length).toBeGreaterThan(10);
    expect(found.filter((name) => !(name in classes) && !inner.includes(name))).toEqual([]);
  });

  test.each(Object.entries(classes))('%s shows no secret', (_name, error) => {
    expect(secretsIn(printed(error))).toEqual([]);
  });

  test('that carries a request along is logged without it, in whatever it is wrapped', () => {
    const headers = { authorization: `Bearer ${knownSecrets.pat}` };
    const careless = Object.assign(new Error('socket hang up'), {
      ...{ code: 'ECONNRESET', headers, body: knownSecrets.natsPassword },
      ...{ request: { headers }, config: { headers }, options: { headers } },
    });
    const wrapped = new AppError('github', 'no answer', { cause: careless });
    const all = new AggregateError([careless, wrapped], 'all failed', { cause: careless });

    const text = logged((log) => {
      for (const err of [careless, wrapped, all, { headers }, headers.authorization.length]) {
        log.error({ err }, 'call failed');
      }
    });

    expect(text).toContain('ECONNRESET');
    expect(secretsIn(text)).toEqual([]);
  });
});

describe('a call to GitHub that fails', () => {
  test.each<[string, RequestListener]>([
    ['the connection breaks', (request) => request.destroy()],
    [
      'the answer repeats the token',
      (request, response) => {
        response
          .writeHead(403)
          .end(JSON.stringify({ message: `no: ${request.headers.authorization}` }));
      },
    ],
    ['the answer is no JSON', (_request, response) => response.writeHead(500).end('<html>')],
  ])('shows no token when %s', async (_what, answer) => {
    const server = createServer(answer).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    const error = await failedCall(server.address());

    expect(error).toBeInstanceOf(Error);
    expect(secretsIn(printed(error))).toEqual([]);
  });

  test('shows no password of the proxy that is away', async () => {
    const error = await failedCall(
      { port: 1 },
      { httpProxyLower: new Secret(env.http_proxy ?? '') },
    );

    expect(error).toMatchObject({ message: expect.stringContaining('proxy') as string });
    expect(secretsIn(printed(error))).toEqual([]);
  });
});

/** One call with the token, as every call is sent. */
async function failedCall(
  address: unknown,
  network: { httpProxyLower?: Secret } = {},
): Promise<unknown> {
  const port =
    address && typeof address === 'object' && 'port' in address ? String(address.port) : '';
  const common = { clock: systemClock, random: () => 0, log: silentLogger() };
  const options = { ...common, metrics: new Metrics(), subsystem: 'test' };
  const settings = { ...network, credentialsFile: env.BATON_CREDENTIALS_FILE ?? '' };
  const clients = GitHubClients.forService(settings, options);
  onTestFinished(() => clients.close());
  const call = { what: 'look', method: 'GET', url: new URL(`http://127.0.0.1:${port}/`) } as const;
  const auth = { scheme: 'Bearer', token: secret } as const;
  const signal = AbortSignal.timeout(5_000);
  return await clients.transport.send({ ...call, auth, signal }).then(
    () => undefined,
    (error: unknown) => error,
  );
}

function failureOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
