import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  aDockerProvider,
  type DockerEngine,
  startObeyEngine,
} from '@baton/providers/testing/docker';
import { Secret } from '@baton/shared/config';
import { ConfigError } from '@baton/shared/errors';
import { makePrivateCa } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const { signal } = new AbortController();
let dir: string;
let engine: DockerEngine;
let url: string;

const file = (name: string) => join(dir, name);

/** An engine on TCP that takes only clients with a certificate of its authority. */
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'baton-tls-'));
  const ours = await makePrivateCa();
  const theirs = await makePrivateCa();
  const server = await ours.issue({ hosts: ['localhost'] });
  const client = await ours.issue({ hosts: ['baton'] });
  const stranger = await theirs.issue({ hosts: ['baton'] });
  const files = {
    'ca.pem': ours.root,
    'other-ca.pem': theirs.root,
    'server.pem': server.cert,
    'server-key.pem': server.key,
    'client.pem': client.cert,
    'client-key.pem': client.key,
    'stranger.pem': stranger.cert,
    'stranger-key.pem': stranger.key,
    'rubbish.pem': 'no certificate',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(file(name), content);
  const port = await freePort();
  url = `https://localhost:${port}`;
  const pems = [`--tlscacert=${file('ca.pem')}`, `--tlscert=${file('server.pem')}`];
  const listen = [`--host=tcp://127.0.0.1:${port}`, '--tlsverify'];
  engine = await startObeyEngine({
    flags: [...listen, ...pems, `--tlskey=${file('server-key.pem')}`],
  });
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

function overTls(changes: Record<string, string> = {}) {
  const certificates = {
    caFile: file('ca.pem'),
    certFile: file('client.pem'),
    keyFile: file('client-key.pem'),
  };
  return aDockerProvider(engine.socket, { engine: { url, ...certificates, ...changes } });
}

describe('an engine on TCP with TLS', () => {
  test('serves who has a certificate, through the whole life of a runner', async () => {
    const provider = await overTls();
    const request = {
      runnerId: 'r1',
      runnerName: 'baton-r1',
      scaleSetId: 'set-1',
      installationId: 'conformance',
      generation: 'g1',
      jitConfig: new Secret('run'),
      settings: {},
    };

    await provider.create(request, signal);

    expect(await provider.list(signal)).toMatchObject([{ runnerId: 'r1', state: 'running' }]);
    await provider.delete('r1', signal);
    expect(await engine.containers()).toEqual([]);
  });

  test('refuses who has none, or one of a stranger: the configuration is wrong', async () => {
    const stranger = { certFile: file('stranger.pem'), keyFile: file('stranger-key.pem') };

    const refused = overTls(stranger);
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(/may not take the client certificate/);
    const bare = { engine: { url, caFile: file('ca.pem') } };
    await expect(aDockerProvider(engine.socket, bare)).rejects.toThrow(
      /may not take the client certificate/,
    );
  });

  test('is not taken for ours when another authority signed for it', async () => {
    await expect(overTls({ caFile: file('other-ca.pem') })).rejects.toThrow(
      /cannot use the engine at https:\/\/localhost.*(CERT|SELF_SIGNED|UNABLE)/,
    );
  });

  test.each([
    ['caFile', 'nothing.pem', /cannot read .*nothing\.pem/],
    ['keyFile', 'rubbish.pem', /the certificates for .* cannot be used/],
  ])('says which file is of no use: %s %s', async (key, name, text) => {
    await expect(overTls({ [key]: file(name) })).rejects.toThrow(text);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
