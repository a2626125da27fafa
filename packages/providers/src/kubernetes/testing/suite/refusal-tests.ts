import { expect, test } from 'vitest';
import { aRequest } from '../../../testing/a-request.ts';
import { documentedRules } from '../documented-rules.ts';
import type { KubeBench } from '../kube-bench.ts';
import { listed, signal } from './pods.ts';

export function refusalTests(bench: () => KubeBench): void {
  quotaTests(bench);

  test('a template that the API server refuses is invalid, in its words', async () => {
    const spec = {
      containers: [{ name: 'runner', volumeMounts: [{ name: 'x', mountPath: '/x' }] }],
    };
    const creating = bench().provider.create(
      aRequest({ settings: { template: { spec } } }),
      signal,
    );

    await expect(creating).rejects.toMatchObject({ class: 'invalid-settings' });
    await expect(creating).rejects.toThrow(
      'spec.containers[0].volumeMounts[0].name: Not found: "x"',
    );
  });

  test('a service account that does not exist makes the settings invalid', async () => {
    const provider = await bench().make({ allow: { serviceAccounts: ['nobody'] } });
    const settings = { template: { spec: { serviceAccountName: 'nobody' } } };

    const creating = provider.create(aRequest({ settings }), signal);

    await expect(creating).rejects.toMatchObject({ class: 'invalid-settings' });
    await expect(creating).rejects.toThrow('serviceaccount "nobody" not found');
  });

  test('a namespace that does not exist is not found', async () => {
    const { makeWithAdmin } = bench();
    const provider = await makeWithAdmin({ namespace: 'no-such-namespace' });

    await expect(provider.create(aRequest(), signal)).rejects.toMatchObject({ class: 'not-found' });
  });

  test('an API server that is not there is transient, and keeps nobody from starting', async () => {
    const provider = await bench().makeAt('https://127.0.0.1:1');

    await expect(provider.list(signal)).rejects.toMatchObject({ class: 'transient' });
    await expect(provider.list(signal)).rejects.toThrow('ECONNREFUSED');
  });
}

function quotaTests(bench: () => KubeBench): void {
  test('a full quota is told as such, and leaves nothing', async () => {
    const { provider, namespace } = bench();
    await makeQuota(bench(), { hard: '1', used: '1' });

    const creating = provider.create(aRequest(), signal);

    await expect(creating).rejects.toMatchObject({ class: 'quota', retryable: true });
    await expect(creating).rejects.toThrow('exceeded quota: few, requested: pods=1');
    expect(await listed(namespace, 'secrets')).toEqual([]);
  });

  test('the room that a quota leaves is the capacity, where the definition wants it', async () => {
    const { makeWith } = bench();
    const rules = [...(await documentedRules()), ...(await documentedRules('baton-runners-quota'))];
    const provider = await makeWith(rules, { resourceQuota: true });
    expect(await provider.capacity(signal)).toEqual({ free: 100 });

    await makeQuota(bench(), { hard: '5', used: '2' });

    expect(await provider.capacity(signal)).toEqual({ free: 3 });
  });
}

/** A quota with its books, which a controller of a whole cluster would keep. */
async function makeQuota({ namespace }: KubeBench, pods: { hard: string; used: string }) {
  const { admin, path } = namespace;
  const hard = { pods: pods.hard };
  await admin.ok('POST', `${path}/resourcequotas`, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'few' },
    spec: { hard },
  });
  const status = { hard, used: { pods: pods.used } };
  await admin.ok('PATCH', `${path}/resourcequotas/few/status`, { status });
}
