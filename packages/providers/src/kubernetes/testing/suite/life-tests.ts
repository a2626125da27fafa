import { randomUUID } from 'node:crypto';
import { Secret } from '@baton/shared/config';
import { expect, test } from 'vitest';
import { eventuallyState } from '../../../conformance.ts';
import { aRequest } from '../../../testing/a-request.ts';
import { eventually } from '../../../testing/eventually.ts';
import { documentedRules } from '../documented-rules.ts';
import type { KubeBench } from '../kube-bench.ts';
import { listed, plainPod, signal } from './pods.ts';

export function lifeTests(bench: () => KubeBench): void {
  secretTests(bench);
  deleteTests(bench);
  watchTests(bench);
}

function secretTests(bench: () => KubeBench): void {
  test('the JIT config stands in a Secret that the pod owns, and nowhere else', async () => {
    const { provider, namespace } = bench();
    const word = randomUUID();
    const { instanceId } = await provider.create(
      aRequest({ jitConfig: new Secret(`run ${word}`) }),
      signal,
    );

    const [pod] = await listed(namespace, 'pods');
    const [secret] = await listed(namespace, 'secrets');

    expect(JSON.stringify(pod)).not.toContain(word);
    expect(secret).toMatchObject({
      metadata: {
        ownerReferences: [{ kind: 'Pod', name: instanceId, uid: pod?.metadata.uid }],
      },
      data: { jitconfig: Buffer.from(`run ${word}`).toString('base64') },
    });
    await provider.delete(instanceId, signal);
    expect(await listed(namespace, 'secrets')).toEqual([]);
  });

  test('a pod whose creator died before its Secret says so, and is completed by the next create', async () => {
    const { provider, second, namespace, kubelet } = bench();
    kubelet.isHeld = () => true;
    const { instanceId } = await provider.create(aRequest(), signal);
    await namespace.admin.ok('DELETE', `${namespace.path}/secrets/${instanceId}-jit`);
    kubelet.isHeld = () => false;

    await eventually(async () => {
      const [found] = await second.list(signal);
      expect(found).toMatchObject({ state: 'starting', problem: { class: 'transient' } });
      expect(found?.problem?.text).toContain(`secret "${instanceId}-jit" not found`);
    });
    await second.create(aRequest(), signal);

    await eventuallyState(second, instanceId, 'running');
  });

  test('a pod whose creator died before its Secret can be deleted', async () => {
    const { provider, second, namespace, kubelet } = bench();
    kubelet.isHeld = () => true;
    const { instanceId } = await provider.create(aRequest(), signal);
    await namespace.admin.ok('DELETE', `${namespace.path}/secrets/${instanceId}-jit`);

    await second.delete(instanceId, signal);

    expect(await listed(namespace, 'pods')).toEqual([]);
  });
}

function deleteTests(bench: () => KubeBench): void {
  test('a delete makes up for one that died between the pod and its Secret', async () => {
    const { provider, second, namespace } = bench();
    const { instanceId } = await provider.create(aRequest(), signal);
    await namespace.admin.ok('DELETE', `${namespace.path}/pods/${instanceId}?gracePeriodSeconds=0`);
    expect(await listed(namespace, 'secrets')).toHaveLength(1);

    await second.delete(instanceId, signal);

    expect(await listed(namespace, 'secrets')).toEqual([]);
  });

  test("a pod that is nobody's is neither shown, counted nor deleted", async () => {
    const { provider, namespace } = bench();
    const before = await provider.capacity(signal);
    await namespace.admin.ok('POST', `${namespace.path}/pods`, plainPod('theirs'));

    await provider.delete('theirs', signal);

    expect(await provider.list(signal)).toEqual([]);
    expect(await provider.capacity(signal)).toEqual(before);
    expect(await listed(namespace, 'pods')).toHaveLength(1);
  });

  test("a pod of another's that has the name is left alone, and told", async () => {
    const { provider, namespace } = bench();
    await namespace.admin.ok('POST', `${namespace.path}/pods`, plainPod('baton-runner-1'));

    const creating = provider.create(aRequest(), signal);

    await expect(creating).rejects.toMatchObject({ class: 'transient' });
    await expect(creating).rejects.toThrow("baton-runner-1 is another's pod");
  });

  test('the pods and Secrets that container hooks made go with their runner', async () => {
    const { makeWith, namespace } = bench();
    const rules = [...(await documentedRules()), ...(await documentedRules('baton-runners-hooks'))];
    const provider = await makeWith(rules, { allow: { containerModes: ['kubernetes'] } });
    const { instanceId } = await provider.create(
      aRequest({ settings: { containerMode: { type: 'kubernetes' }, template: workVolume } }),
      signal,
    );
    const { admin, path } = namespace;
    const labels = { 'runner-pod': instanceId };
    await admin.ok('POST', `${path}/pods`, plainPod(`${instanceId}-workflow`, labels));
    await admin.ok('POST', `${path}/pods`, plainPod('other-workflow', { 'runner-pod': 'other' }));

    await provider.delete(instanceId, signal);

    const left = await listed(namespace, 'pods');
    expect(left.map(({ metadata }) => metadata.name)).toEqual(['other-workflow']);
  });
}

const workVolume = { spec: { volumes: [{ name: 'work', emptyDir: {} }] } };

function watchTests(bench: () => KubeBench): void {
  test('with a watch, what others create, end and delete is seen without a list', async () => {
    const { make, provider } = bench();
    const watching = await make({ listMaxAgeMs: 60_000 });
    expect(await watching.list(signal)).toEqual([]);

    const { instanceId } = await provider.create(
      aRequest({ jitConfig: new Secret('exit 4') }),
      signal,
    );
    const seen = await eventuallyState(watching, instanceId, 'exited');
    await provider.delete(instanceId, signal);

    expect(seen).toMatchObject({ exitCode: 4 });
    await eventually(async () => expect(await watching.list(signal)).toEqual([]));
  });

  test('with a watch, what it created and deleted itself is seen at once', async () => {
    const { make } = bench();
    const watching = await make({ listMaxAgeMs: 60_000 });
    for (let round = 0; round < 3; round += 1) {
      const { instanceId } = await watching.create(aRequest(), signal);
      expect(await watching.list(signal)).toMatchObject([{ instanceId }]);
      await watching.delete(instanceId, signal);
      expect(await watching.list(signal)).toEqual([]);
    }
  });
}
