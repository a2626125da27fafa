import { Secret } from '@baton/shared/config';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { eventuallyState } from '../conformance.ts';
import { aRequest } from '../testing/a-request.ts';
import { eventually } from '../testing/eventually.ts';
import { aKubeBench, type KubeBench } from './testing/kube-bench.ts';
import { StandInApiServer } from './testing/stand-in/stand-in-api-server.ts';
import { listed, signal } from './testing/suite/pods.ts';

// Loading the library takes half a second, and much longer on a machine that is busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let server: StandInApiServer;
let bench: KubeBench;

beforeEach(async () => {
  server = await StandInApiServer.start();
  bench = await aKubeBench(server);
});
afterEach(async () => {
  await bench.dispose();
  await server.close();
});

const pods = { method: 'POST', path: /\/pods$/ };
/** Those of a provider; the fake kubelet selects nothing. */
const lists = { method: 'GET', path: /\/pods$/, query: /labelSelector=/ };
const secrets = { method: 'POST', path: /\/secrets$/ };

describe('an API server that', () => {
  test('has too much to do is asked again after the time that it says', async () => {
    server.failNext({ ...pods, code: 429, retryAfterSeconds: 1 });
    const startedAt = performance.now();

    await bench.provider.create(aRequest(), signal);

    expect(performance.now() - startedAt).toBeGreaterThan(990);
    expect(await bench.provider.list(signal)).toHaveLength(1);
  });

  test('keeps having too much to do is a passing failure', async () => {
    for (let n = 0; n < 3; n += 1) server.failNext({ ...pods, code: 429, retryAfterSeconds: 0 });

    await expect(bench.provider.create(aRequest(), signal)).rejects.toMatchObject({
      class: 'transient',
      status: 429,
    });
  });

  test.each([500, 502, 503])('answers %i is a passing failure', async (code) => {
    server.failNext({ ...pods, code });

    await expect(bench.provider.create(aRequest(), signal)).rejects.toMatchObject({
      class: 'transient',
      retryable: true,
    });
  });

  test('takes a pod and breaks off before it says so gets no second one', async () => {
    server.failNext({ ...pods, cut: 'after' });
    await expect(bench.provider.create(aRequest(), signal)).rejects.toMatchObject({
      class: 'transient',
    });

    const { instanceId } = await bench.second.create(aRequest(), signal);

    await eventuallyState(bench.provider, instanceId, 'running');
    expect(await bench.provider.list(signal)).toHaveLength(1);
  });

  test('breaks off before the Secret is given no pod to keep', async () => {
    bench.kubelet.isHeld = () => true;
    server.failNext({ ...secrets, cut: 'before' });

    await expect(bench.provider.create(aRequest(), signal)).rejects.toMatchObject({
      class: 'transient',
    });

    expect(await listed(bench.namespace, 'pods')).toEqual([]);
  });

  test('never answers is given up at the deadline of the request', async () => {
    const provider = await bench.make({ requestTimeoutMs: 200 });
    server.failNext({ ...lists, hangs: true });

    const listing = provider.list(signal);

    await expect(listing).rejects.toMatchObject({ class: 'transient' });
    await expect(listing).rejects.toThrow('list pods took longer than 200 ms');
  });

  test('never answers does not hold a caller that gives up', async () => {
    server.failNext({ ...lists, hangs: true });
    const caller = new AbortController();

    const listing = bench.provider.list(caller.signal);
    caller.abort(new Error('gave up'));

    await expect(listing).rejects.toThrow('gave up');
  });

  test('refuses unknown fields, as those from 1.25 on, makes the settings invalid', async () => {
    const provider = await bench.make({ podTemplate: { spec: { nodeSelektor: { a: 'b' } } } });

    const creating = provider.create(aRequest(), signal);

    await expect(creating).rejects.toMatchObject({ class: 'invalid-settings' });
    await expect(creating).rejects.toThrow('unknown field "spec.nodeSelektor"');
  });
});

test('a creator that ends between the pod and its Secret leaves what the next one completes', async () => {
  server.failNext({ ...secrets, hangs: true });
  // Nobody waits for it: what a process that was killed leaves behind.
  void bench.provider.create(aRequest(), signal).catch(() => undefined);
  await eventually(async () => expect(await bench.second.list(signal)).toHaveLength(1));

  const { instanceId } = await bench.second.create(aRequest(), signal);

  await eventuallyState(bench.second, instanceId, 'running');
  expect(await listed(bench.namespace, 'pods')).toHaveLength(1);
});

test('a repeated create that fails at the Secret leaves a pod alone that may run', async () => {
  const { instanceId } = await bench.provider.create(aRequest(), signal);
  await eventuallyState(bench.provider, instanceId, 'running');
  const late = await bench.make({ listMaxAgeMs: 60_000 });
  const collection = { resource: 'pods', namespace: bench.namespace.name };
  const status = server.store.get(collection, instanceId).status;
  server.store.replace(collection, {
    ...server.store.get(collection, instanceId),
    status: { phase: 'Pending' },
  });
  await late.list(signal);
  server.silenceWatches();
  server.store.replace(collection, { ...server.store.get(collection, instanceId), status });
  server.failNext({ ...secrets, code: 500 });

  await expect(late.create(aRequest(), signal)).rejects.toMatchObject({ class: 'transient' });

  expect(await bench.provider.list(signal)).toMatchObject([{ state: 'running' }]);
});

test('a delete waits for a pod that its own watch has not told of', async () => {
  const late = await bench.make({ listMaxAgeMs: 60_000, gracePeriodSeconds: 1 });
  await late.list(signal);
  server.silenceWatches();
  const request = aRequest({ jitConfig: new Secret('stubborn') });
  const { instanceId } = await bench.provider.create(request, signal);
  await eventuallyState(bench.provider, instanceId, 'running');

  const deleting = late.delete(instanceId, AbortSignal.timeout(300));

  await expect(deleting).rejects.toThrow('timeout');
});

test('maxInstances holds for creates at the same time', async () => {
  const provider = await bench.make({ maxInstances: 3 });

  const settled = await Promise.allSettled(
    ['a', 'b', 'c', 'd', 'e'].map((runnerId) => provider.create(aRequest({ runnerId }), signal)),
  );

  const refused = settled.filter(({ status }) => status === 'rejected');
  expect(refused).toMatchObject([{ reason: { class: 'quota' } }, { reason: { class: 'quota' } }]);
  expect(await provider.capacity(signal)).toEqual({ free: 0 });
});

test.each([
  ['33', 1, ['init-dind-externals', 'dind']],
  ['29+', 1, ['init-dind-externals', 'dind']],
  ['28', 2, ['init-dind-externals']],
])('in a cluster of 1.%s Docker runs where it lets the pod end', async (minor, count, init) => {
  server.minor = minor;
  const provider = await bench.make({ allow: { containerModes: ['dind'] } });
  bench.kubelet.isHeld = () => true;

  await provider.create(aRequest({ settings: { containerMode: { type: 'dind' } } }), signal);

  const [pod] = await listed(bench.namespace, 'pods');
  expect(pod).toMatchObject({
    spec: { initContainers: init.map((name) => ({ name })) },
  });
  expect(JSON.stringify(pod).match(/"image":"docker:dind"/g)).toHaveLength(1);
  expect(pod).toHaveProperty('spec.containers.length', count);
});

test('a namespace of more pods than fit on a page is listed whole', async () => {
  bench.kubelet.isHeld = () => true;
  const { instanceId } = await bench.provider.create(aRequest(), signal);
  const collection = { resource: 'pods', namespace: bench.namespace.name };
  const pod = server.store.get(collection, instanceId);
  for (let n = 0; n < 1_200; n += 1)
    server.store.create(collection, { ...pod, metadata: { ...pod.metadata, name: `copy-${n}` } });
  server.served.length = 0;

  expect(await bench.second.list(signal)).toHaveLength(1_201);
  expect(server.served.filter((call) => call === 'list pods').length).toBeGreaterThanOrEqual(3);
});
