import { request } from 'node:http';
import { runnerKey } from '@baton/shared/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  aStartingRunner,
  get,
  jitWord,
  post,
  recordOf,
  scaleSetId,
} from '../testing/booting-instance.ts';
import { ExternalBench } from '../testing/external-bench.ts';

let bench: ExternalBench;
beforeAll(async () => {
  bench = await ExternalBench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

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
    const { access } = await aStartingRunner(bench, await bench.bootstrap());

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
    const { access } = await aStartingRunner(bench, await bench.bootstrap());

    const answer = await get(access, path);

    expect(answer).toMatchObject({ status });
    expect(answer.text).toContain(text);
  });

  test('is answered by any provisioner', async () => {
    const [one, other] = [await bench.bootstrap(), await bench.bootstrap()];
    const { access } = await aStartingRunner(bench, one);
    const elsewhere = await aStartingRunner(bench, other);

    const answer = await get({ ...elsewhere.access, token: access.token }, 'credentials/runner');

    expect(answer.status).toBe(200);
  });

  test('sends progress, which people can read in the record', async () => {
    const { access, runnerId } = await aStartingRunner(bench, await bench.bootstrap());

    await post(access, 'status', '{"status":"installing","message":"unpacking\\u001b[31m"}');
    expect(await recordOf(bench, runnerId)).toMatchObject({ progress: 'unpacking [31m' });
    await post(access, 'system-info/', '{"os_name":"Ubuntu","os_version":"24.04","agent_id":null}');
    expect(await recordOf(bench, runnerId)).toMatchObject({ progress: 'runs Ubuntu 24.04' });
    await post(access, 'status', '{"status":"idle","message":"started","agent_id":null}');
    expect(await recordOf(bench, runnerId)).toMatchObject({
      state: 'starting',
      progress: 'started',
    });
  });

  test('ends its runner by saying that it failed, and gets nothing after that', async () => {
    const bootstrap = await bench.bootstrap();
    const { access, runnerId } = await aStartingRunner(bench, bootstrap);

    const answer = await post(access, 'status', '{"status":"failed","message":"no disk"}');

    expect(answer.status).toBe(200);
    const failure = { class: 'bootstrap-failed', text: 'no disk' };
    expect(await recordOf(bench, runnerId)).toMatchObject({ state: 'failed', failure });
    expect(bootstrap.reconciled).toEqual([scaleSetId]);
    expect(await get(access, 'credentials/runner')).toMatchObject({ status: 401 });
    expect(await bench.stores.jit.get(runnerKey(scaleSetId, runnerId))).toBeUndefined();
  });

  test.each(['', 'no JSON', '{"status":"dancing"}', '[]'])(
    'is refused the status %j',
    async (body) => {
      const { access } = await aStartingRunner(bench, await bench.bootstrap());

      expect(await post(access, 'status', body)).toMatchObject({ status: 400 });
    },
  );

  test('may not send much', async () => {
    const { access } = await aStartingRunner(bench, await bench.bootstrap());

    expect(await post(access, 'status', 'x'.repeat(20_000))).toMatchObject({ status: 413 });
  });
});

test('who sends nothing is cut off', async () => {
  const { access } = await aStartingRunner(bench, await bench.bootstrap());
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
