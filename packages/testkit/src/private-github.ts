import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultOptions, type SimOptions, startSimulator } from '@baton/github-sim/in-process';
import { systemClock } from '@baton/shared/time';
import { type ConnectProxy, startConnectProxy } from './connect-proxy.ts';
import { makePrivateCa } from './private-ca.ts';

const host = 'github.private.test';
const login = { user: 'baton', password: 'proxy-password' };

interface PrivateGitHubOptions {
  sim?: Partial<SimOptions>;
  /** How its certificate differs from a good one. */
  certificate?: { hosts?: readonly string[]; endsInDays?: number; incomplete?: boolean };
}

/**
 * A simulated GitHub with a certificate of a private authority, under a name that only a proxy with
 * a login knows: whatever reaches it came through the proxy.
 */
export interface PrivateGitHub extends AsyncDisposable {
  /** Where the organization "acme" is. */
  readonly configUrl: string;
  readonly host: string;
  readonly proxy: ConnectProxy;
  /** The proxy's URL with its login. */
  readonly proxyUrl: string;
  /** PEM file with the root of the authority. */
  readonly caFile: string;
  /** Credentials file with one credential, `github`. */
  readonly credentialsFile: string;
}

export async function startPrivateGitHub(given: PrivateGitHubOptions = {}): Promise<PrivateGitHub> {
  const options = { ...defaultOptions, pollHoldMs: 1_000, ...given.sim };
  const dir = await mkdtemp(join(tmpdir(), 'baton-private-github-'));
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  const ca = await makePrivateCa();
  const tls = await ca.issue({ hosts: [host], ...given.certificate });
  const place = { host: '127.0.0.1', port: 0, clock: systemClock, tls };
  const publicUrl = `https://${host}`;
  const sim = await startSimulator({ ...place, publicUrl, options });
  undo.defer(() => sim.close());
  const routes = { [`${host}:443`]: Number(new URL(sim.url).port) };
  const proxy = undo.use(await startConnectProxy({ login, routes }));
  const caFile = join(dir, 'ca.pem');
  await writeFile(caFile, ca.root);
  const credentialsFile = join(dir, 'credentials.yaml');
  const github = { type: 'pat', hosts: [host], token: options.token };
  await writeFile(credentialsFile, JSON.stringify({ credentials: { github } }));
  const owned = undo.move();
  return {
    configUrl: `${publicUrl}/acme`,
    host,
    proxy,
    proxyUrl: proxy.url.replace('//', `//${login.user}:${login.password}@`),
    caFile,
    credentialsFile,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
