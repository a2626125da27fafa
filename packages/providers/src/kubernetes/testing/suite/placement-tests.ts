import { Secret } from '@baton/shared/config';
import { expect, test } from 'vitest';
import { eventuallyState } from '../../../conformance.ts';
import { aRequest } from '../../../testing/a-request.ts';
import { eventually } from '../../../testing/eventually.ts';
import type { Json } from '../admin-client.ts';
import type { KubeBench } from '../kube-bench.ts';
import { setStatus, signal, waiting } from './pods.ts';

const unschedulable: Json = {
  phase: 'Pending',
  conditions: [
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: '0/3 nodes are available: 3 Insufficient cpu.',
    },
  ],
};

const problems: Array<[string, Json, string, string]> = [
  ['no node has room', unschedulable, 'quota', '0/3 nodes are available: 3 Insufficient cpu.'],
  ['an image cannot be pulled', waiting('ImagePullBackOff', 'Back-off x'), 'image', 'Back-off x'],
  ['an image has no name', waiting('InvalidImageName', 'bad'), 'image', 'InvalidImageName: bad'],
  [
    'a ConfigMap is missing',
    waiting('CreateContainerConfigError', 'configmap "c" not found'),
    'invalid-settings',
    'configmap "c" not found',
  ],
];

export function placementTests(bench: () => KubeBench): void {
  test.each(problems)('shows that %s', async (_what, status, problemClass, text) => {
    const { provider, namespace, kubelet } = bench();
    kubelet.isHeld = () => true;
    const { instanceId } = await provider.create(aRequest(), signal);

    await setStatus(namespace, instanceId, status);

    const [found] = await provider.list(signal);
    expect(found).toMatchObject({ state: 'starting', problem: { class: problemClass } });
    expect(found?.problem?.text).toContain(text);
  });

  test('a busy runner that its node evicts has exited, with what the node said', async () => {
    const { provider, namespace } = bench();
    const { instanceId } = await provider.create(aRequest(), signal);
    await eventuallyState(provider, instanceId, 'running');
    const message = 'The node was low on resource: memory.';

    await setStatus(namespace, instanceId, { phase: 'Failed', reason: 'Evicted', message });

    const [found] = await provider.list(signal);
    expect(found).toMatchObject({
      state: 'exited',
      problem: { class: 'transient', text: `Evicted: ${message}` },
    });
  });

  test('a busy runner that is evicted through the API says so until it is gone', async () => {
    const { make, namespace } = bench();
    const provider = await make();
    const request = aRequest({ jitConfig: new Secret('stubborn') });
    const { instanceId } = await provider.create(request, signal);
    await eventuallyState(provider, instanceId, 'running');

    await namespace.admin.ok('POST', `${namespace.path}/pods/${instanceId}/eviction`, {
      apiVersion: 'policy/v1beta1',
      kind: 'Eviction',
      metadata: { name: instanceId, namespace: namespace.name },
      deleteOptions: { gracePeriodSeconds: 2 },
    });

    const [found] = await provider.list(signal);
    expect(found).toMatchObject({ state: 'running', problem: { class: 'transient' } });
    expect(found?.problem?.text).toContain('is being deleted');
    await eventually(async () => expect(await provider.list(signal)).toEqual([]));
  });

  test('a runner has exited when its container has, though a sidecar runs on', async () => {
    const { provider } = bench();
    const containers = [{ name: 'sidecar', image: 'sidecar' }];
    const request = aRequest({
      jitConfig: new Secret('exit 9'),
      settings: { template: { spec: { containers } } },
    });

    const { instanceId } = await provider.create(request, signal);

    expect(await eventuallyState(provider, instanceId, 'exited')).toMatchObject({ exitCode: 9 });
    await provider.delete(instanceId, signal);
    expect(await provider.list(signal)).toEqual([]);
  });
}
