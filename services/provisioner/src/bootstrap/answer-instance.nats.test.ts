import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import type { BootstrapAccess } from '@baton/providers';
import { Secret } from '@baton/shared/config';
import { buckets, type Runner, runnerKey } from '@baton/shared/contracts';
import { SealingKeys } from '@baton/shared/sealing';
import { aRunner, eventually, FakeClock } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aSealingKey, ExternalBench } from '../testing/external-bench.ts';
import { asJitConfig } from '../testing/recorded-provider.ts';
import { JitVault } from './jit-vault.ts';
import { sweepJit } from './sweep-jit.ts';

const { signal } = new AbortController();
const scaleSetId = 'set-1';
const jitWord = 'word-of-the-credentials';

let bench: ExternalBench;
let ids = 0;
beforeAll(async () => {
  bench = await ExternalBench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

/** A runner that starts, and what its instance was told. */
async function aStartingRunner(
  { port }: Pick<Awaited<ReturnType<ExternalBench['bootstrap']>>, 'port'>,
  part: Partial<Runner> = {},
) {
  ids += 1;
  const runnerId = `r${ids}`;
  const runnerName = `linux-test-${runnerId}`;
  const record = aRunner({ scaleSetId, runnerId, name: runnerName, state: 'starting', ...part });
  await bench.stores.runners.put(runnerKey(scaleSetId, runnerId), record);
  const access = await port.issue(
    {
      runnerId,
      runnerName,
      scaleSetId,
      osType: 'linux',
      jitConfig: asJitConfig(new Secret(jitWord)),
      caBundle: '-----BEGIN CERTIFICATE-----',
      proxy: { http: '', https: '', noProxy: '' },
    },
    signal,
  );
  return { runnerId, runnerName, access };
}

async function get({ metadataUrl, token }: BootstrapAccess, path: string) {
  const headers = { authorization: `Bearer ${token.reveal()}` };
  const answer = await fetch(`${metadataUrl}/${path}`, { headers });
  return { status: answer.status, text: await answer.text() };
}

async function post({ callbackUrl, token }: BootstrapAccess, path: string, body: string) {
  const headers = { authorization: `Bearer ${token.reveal()}` };
  const answer = await fetch(`${callbackUrl}/${path}`, { method: 'POST', headers, body });
  return { status: answer.status, text: await answer.text() };
}

/** Everything that nats-server wrote for a stream. */
async function filesOf(stream: string): Promise<string> {
  const names = await readdir(bench.nats.dir, { recursive: true, withFileTypes: true });
  const files = names.filter((file) => file.isFile() && file.parentPath.includes(stream));
  const read = files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1'));
  return (await Promise.all(read)).join();
}

async function recordOf(runnerId: string): Promise<Runner | undefined> {
  return (await bench.stores.runners.get(runnerKey(scaleSetId, runnerId)))?.value;
}

describe('an instance that boots', () => {
  test.each([
    ['credentials/runner', '{"agentId":1}'],
    ['credentials/credentials', jitWord],
    ['credentials/credentials_rsaparams', '{"modulus":"m"}'],
    ['system/service-name', 'actions.runner.acme'],
    ['system/service-name/', 'actions.runner.acme'],
    ['systemd/unit-file?runAsUser=ci', 'ExecStart=/home/ci/actions-runner/runsvc.sh'],
    ['system/cert-bundle', '{"root_certificates":{"baton":"LS0tLS1CRUdJTiBDRVJU'],
    ['runner-metadata', '"jit_enabled":true'],
    ['install-script', '#!/bin/bash'],
  ])('reads %s', async (path, text) => {
    const { access } = await aStartingRunner(await bench.bootstrap());

    const answer = await get(access, path);

    expect(answer.status).toBe(200);
    expect(answer.text).toContain(text);
  });

  test.each([
    ['runner-registration-token', 404, 'JIT config'],
    ['tools/garm-agent/1/download', 404, 'no agent'],
    ['nothing', 404, 'no such path'],
    ['systemd/unit-file?runAsUser=a%3Bb', 400, 'Linux user'],
  ])('is told why it cannot read %s', async (path, status, text) => {
    const { access } = await aStartingRunner(await bench.bootstrap());

    const answer = await get(access, path);

    expect(answer).toMatchObject({ status });
    expect(answer.text).toContain(text);
  });

  test('is answered by any provisioner', async () => {
    const [one, other] = [await bench.bootstrap(), await bench.bootstrap()];
    const { access } = await aStartingRunner(one);
    const elsewhere = await aStartingRunner(other);

    const answer = await get({ ...elsewhere.access, token: access.token }, 'credentials/runner');

    expect(answer.status).toBe(200);
  });

  test('sends progress, which people can read in the record', async () => {
    const { access, runnerId } = await aStartingRunner(await bench.bootstrap());

    await post(access, 'status', '{"status":"installing","message":"unpacking\\u001b[31m"}');
    expect(await recordOf(runnerId)).toMatchObject({ progress: 'unpacking [31m' });
    await post(access, 'system-info/', '{"os_name":"Ubuntu","os_version":"24.04","agent_id":null}');
    expect(await recordOf(runnerId)).toMatchObject({ progress: 'runs Ubuntu 24.04' });
    await post(access, 'status', '{"status":"idle","message":"started","agent_id":null}');
    expect(await recordOf(runnerId)).toMatchObject({ state: 'starting', progress: 'started' });
  });

  test('ends its runner by saying that it failed, and gets nothing after that', async () => {
    const bootstrap = await bench.bootstrap();
    const { access, runnerId } = await aStartingRunner(bootstrap);

    const answer = await post(access, 'status', '{"status":"failed","message":"no disk"}');

    expect(answer.status).toBe(200);
    const failure = { class: 'bootstrap-failed', text: 'no disk' };
    expect(await recordOf(runnerId)).toMatchObject({ state: 'failed', failure });
    expect(bootstrap.reconciled).toEqual([scaleSetId]);
    expect(await get(access, 'credentials/runner')).toMatchObject({ status: 401 });
    expect(await bench.stores.jit.get(runnerKey(scaleSetId, runnerId))).toBeUndefined();
  });

  test.each(['', 'no JSON', '{"status":"dancing"}', '[]'])(
    'is refused the status %j',
    async (body) => {
      const { access } = await aStartingRunner(await bench.bootstrap());

      expect(await post(access, 'status', body)).toMatchObject({ status: 400 });
    },
  );

  test('may not send much', async () => {
    const { access } = await aStartingRunner(await bench.bootstrap());

    expect(await post(access, 'status', 'x'.repeat(20_000))).toMatchObject({ status: 413 });
  });
});

describe('a token', () => {
  test.each<[string, Partial<Runner>]>([
    ['requested', { state: 'requested' }],
    ['online', { state: 'idle' }],
    ['busy', { state: 'busy' }],
    ['completed', { state: 'completed' }],
    ['failed', { state: 'failed' }],
    [
      'marked',
      {
        state: 'marked',
        mark: { reason: 'surplus', gate: 'github', by: 'test', at: '2026-01-01T00:00:00.000Z' },
      },
    ],
    ['ended', { state: 'starting', exit: { at: '2026-01-01T00:00:00.000Z' } }],
  ])('is refused when the runner is %s', async (_what, part) => {
    const { access } = await aStartingRunner(await bench.bootstrap(), part);

    const answers = [
      await get(access, 'credentials/runner'),
      await post(access, 'status', '{"status":"failed"}'),
    ];

    expect(answers).toMatchObject([{ status: 401 }, { status: 401 }]);
  });

  test('is refused when the runner is gone', async () => {
    const { access, runnerId } = await aStartingRunner(await bench.bootstrap());
    const entry = await bench.stores.runners.get(runnerKey(scaleSetId, runnerId));
    await bench.stores.runners.delete(entry?.key ?? '', entry?.revision ?? 0);

    expect(await get(access, 'credentials/runner')).toMatchObject({ status: 401 });
  });

  test('is good until the bootstrap timeout and not a moment longer', async () => {
    const clock = new FakeClock();
    const { access } = await aStartingRunner(await bench.bootstrap({ clock }));

    await clock.advance(1_199_000);
    const before = await get(access, 'credentials/runner');
    await clock.advance(1_001);
    const after = await get(access, 'credentials/runner');

    expect([before.status, after.status]).toEqual([200, 401]);
  });

  test('is good for one runner only', async () => {
    const bootstrap = await bench.bootstrap();
    const one = await aStartingRunner(bootstrap);
    const other = await aStartingRunner(bootstrap);

    const [first, second] = [
      await get(one.access, 'runner-metadata'),
      await get(other.access, 'runner-metadata'),
    ];

    expect(first.text).toContain(one.runnerName);
    expect(first.text).not.toContain(other.runnerName);
    expect(second.text).toContain(other.runnerName);
  });

  test('is refused when it is missing, changed, unsigned, or of another installation', async () => {
    const bootstrap = await bench.bootstrap();
    const { access } = await aStartingRunner(bootstrap);
    const theirs = await aStartingRunner(await bench.bootstrap({ installationId: 'other' }));
    const [head, claims, signature = ''] = access.token.reveal().split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    const forged = [
      '',
      'x',
      `${head}.${claims}.${flipped}`,
      `${none}.${claims}.`,
      theirs.access.token.reveal(),
    ];

    for (const text of forged) {
      const answer = await get({ ...access, token: new Secret(text) }, 'credentials/runner');
      expect(answer, text).toMatchObject({ status: 401 });
    }
  });

  test('outlives a change of the key that issued it, until that key is taken away', async () => {
    const [old, fresh] = [aSealingKey('old'), aSealingKey('new')];
    const { access } = await aStartingRunner(await bench.bootstrap({ keys: old }));
    const rotated = await aStartingRunner(await bench.bootstrap({ keys: `${fresh}\n${old}` }));
    const later = await aStartingRunner(await bench.bootstrap({ keys: fresh }));
    const { token } = access;

    const answers = [
      await get({ ...rotated.access, token }, 'credentials/credentials'),
      await get({ ...later.access, token }, 'credentials/credentials'),
      await get({ ...later.access, token: rotated.access.token }, 'credentials/credentials'),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 401, 200]);
  });
});

describe('what is kept for instances', () => {
  test('lies in NATS sealed: no byte of it can be read in the files of the stream', async () => {
    const { access, runnerId } = await aStartingRunner(await bench.bootstrap());

    const raw = await eventually(async () => {
      const bytes = await filesOf(`KV_${buckets.jit}`);
      expect(bytes).toContain(runnerKey(scaleSetId, runnerId));
      return bytes;
    });

    const boxes = [...raw.matchAll(/"box":"([A-Za-z0-9+/=]+)"/g)].map(([, box = '']) => box);
    expect(boxes.length).toBeGreaterThan(0);
    const opened = boxes.map((box) => Buffer.from(box, 'base64').toString('latin1')).join();
    for (const secret of [jitWord, 'agentId', 'modulus', access.token.reveal()]) {
      expect(raw).not.toContain(secret);
      expect(raw).not.toContain(Buffer.from(secret).toString('base64').slice(0, 8));
      expect(opened).not.toContain(secret);
    }
  });

  test('opens for its own runner only', async () => {
    const bootstrap = await bench.bootstrap();
    const [one, other] = [await aStartingRunner(bootstrap), await aStartingRunner(bootstrap)];
    const moved = await bench.stores.jit.get(runnerKey(scaleSetId, one.runnerId));
    if (!moved) throw new Error('nothing was kept');
    await bench.stores.jit.put(runnerKey(scaleSetId, other.runnerId), moved.value);

    expect(await get(other.access, 'credentials/credentials')).toMatchObject({ status: 503 });
  });

  test('is removed once its runner is registered, and stays while it starts', async () => {
    const bootstrap = await bench.bootstrap();
    const starting = await aStartingRunner(bootstrap);
    const online = await aStartingRunner(bootstrap, { state: 'idle' });
    const { jit: store, runners } = bench.stores;
    const keys = SealingKeys.parse(aSealingKey('any'));
    const vault = new JitVault({ store, keys, clock: new FakeClock() });

    await sweepJit({ vault, runners });

    const kept = await Promise.all(
      [starting, online].map(({ runnerId }) => store.get(runnerKey(scaleSetId, runnerId))),
    );
    expect(kept.map((entry) => entry !== undefined)).toEqual([true, false]);
  });
});

test('who sends nothing is cut off', async () => {
  const { access } = await aStartingRunner(await bench.bootstrap());
  const call = request(`${access.callbackUrl}/status`, {
    method: 'POST',
    headers: { 'content-length': '10' },
  });
  call.on('error', () => undefined);
  call.flushHeaders();

  const status = await new Promise<number | undefined>((resolve) => {
    call.on('response', (response) => resolve(response.statusCode));
    call.on('close', () => resolve(undefined));
  });

  expect([408, undefined]).toContain(status);
}, 60_000);
