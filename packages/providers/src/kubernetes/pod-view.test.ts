import { FakeClock } from '@baton/testkit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { podSchema } from './api-schemas.ts';
import { Connection, loadKubeConfig } from './connection.ts';
import { kubernetesDefinitionSchema } from './definition.ts';
import { KubernetesApi } from './kubernetes-api.ts';
import { PodView } from './pod-view.ts';
import { makeNamespace, type TestNamespace } from './testing/cluster.ts';
import { StandInApiServer } from './testing/stand-in/stand-in-api-server.ts';
import { plainPod, signal } from './testing/suite/pods.ts';

// Loading the library takes half a second, and much longer on a machine that is busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const maxAgeMs = 5_000;
let server: StandInApiServer;
let namespace: TestNamespace;
let clock: FakeClock;
let view: PodView;

beforeEach(async () => {
  server = await StandInApiServer.start();
  namespace = await makeNamespace(server);
  clock = new FakeClock();
  view = await aView();
});
afterEach(async () => {
  await namespace.dispose();
  await server.close();
});

async function aView(): Promise<PodView> {
  const kubeconfig = await namespace.kubeconfig({ token: server.adminToken });
  const definition = kubernetesDefinitionSchema.parse({
    type: 'kubernetes',
    kubeconfig,
    namespace: namespace.name,
  });
  const connection = new Connection(await loadKubeConfig(definition));
  const api = new KubernetesApi({ connection, clock, requestTimeoutMs: 1_000 });
  return new PodView({
    api,
    clock,
    path: `${namespace.path}/pods`,
    labelSelector: 'a=b',
    maxAgeMs,
  });
}

async function make(name: string) {
  const body = plainPod(name, { a: 'b' });
  return podSchema.parse(await namespace.admin.ok('POST', `${namespace.path}/pods`, body));
}

async function names(): Promise<string[]> {
  return (await view.pods(signal)).map(({ metadata }) => metadata.name).sort();
}

/** Calls of the view since the last look. */
function asked(): string[] {
  const calls = server.served.filter((call) => call === 'list pods' || call === 'watch pods');
  server.served.length = 0;
  return calls;
}

test('one list and one watch serve all looks, and the watch tells what happens', async () => {
  await make('first');
  expect(await names()).toEqual(['first']);
  await make('second');
  await eventually(async () => expect(await names()).toEqual(['first', 'second']));
  await namespace.admin.ok('DELETE', `${namespace.path}/pods/first`);
  await eventually(async () => expect(await names()).toEqual(['second']));

  expect(asked()).toEqual(['list pods', 'watch pods']);
});

test('looks at the same time share one list', async () => {
  await Promise.all([names(), names(), names()]);

  expect(asked()).toEqual(['list pods', 'watch pods']);
});

test('silence longer than it is believed is a list, and a watch that had kept up goes on', async () => {
  await names();
  asked();
  await clock.advance(maxAgeMs - 1);
  await names();
  expect(asked()).toEqual([]);

  await clock.advance(1);
  await names();

  expect(asked()).toEqual(['list pods']);
  expect(server.watchCount).toBe(1);
});

test('a watch that is silently dead is found out and replaced', async () => {
  await names();
  server.silenceWatches();
  await make('unheard');
  expect(await names()).toEqual([]);
  asked();

  await clock.advance(maxAgeMs);

  expect(await names()).toEqual(['unheard']);
  expect(asked()).toEqual(['list pods', 'watch pods']);
  await eventually(() => expect(server.watchCount).toBe(1));
  await make('heard');
  await eventually(async () => expect(await names()).toEqual(['heard', 'unheard']));
});

test('a bookmark proves that nothing has happened', async () => {
  await names();
  asked();
  await clock.advance(maxAgeMs - 1);
  const before = await make('marker');
  await eventually(async () => expect(await names()).toEqual(['marker']));
  await clock.advance(maxAgeMs - 1);
  await namespace.admin.ok('DELETE', `${namespace.path}/pods/${before.metadata.name}`);
  server.sendBookmarks();
  await eventually(async () => expect(await names()).toEqual([]));
  await clock.advance(maxAgeMs - 1);

  await names();

  expect(asked()).toEqual([]);
});

test.each([
  ['ended by the server', () => server.dropWatches()],
  [
    'ended after the past was forgotten',
    () => {
      server.store.compact();
      server.dropWatches();
    },
  ],
])('a watch that was %s proves nothing more', async (_what, end) => {
  await names();
  asked();
  end();
  await eventually(() => expect(server.watchCount).toBe(0));
  await make('meanwhile');

  await eventually(async () => expect(await names()).toEqual(['meanwhile']));
  expect(asked().slice(0, 2)).toEqual(['list pods', 'watch pods']);
});

test('a list too old to watch from is made again', async () => {
  await make('first');
  server.expireNextWatch();

  expect(await names()).toEqual(['first']);
  await make('second');

  await eventually(async () => expect(await names()).toEqual(['first', 'second']));
  expect(asked().filter((call) => call === 'list pods').length).toBeGreaterThanOrEqual(2);
});

test('a list whose pages have grown too old is made at once', async () => {
  await make('first');
  const collection = { resource: 'pods', namespace: namespace.name };
  const pod = server.store.get(collection, 'first');
  for (let n = 0; n < 500; n += 1)
    server.store.create(collection, { ...pod, metadata: { ...pod.metadata, name: `copy-${n}` } });
  server.failNext({ method: 'GET', path: /\/pods$/, query: /continue=/, code: 410 });

  expect(await names()).toHaveLength(501);
});

test('what this process created is shown, also by a list that does not know it yet', async () => {
  await names();
  server.silenceWatches();
  const pod = await make('mine');
  view.created(pod);

  expect(await names()).toEqual(['mine']);
});

test('what has gone stays gone, whatever is told of it later', async () => {
  const pod = await make('mine');
  await names();

  view.gone(pod.metadata.uid);
  view.created(pod);

  expect(await names()).toEqual([]);
  await clock.advance(maxAgeMs);
  expect(await names()).toEqual([]);
});

test('a list that fails is tried anew at the next look, and the old view is not shown', async () => {
  await make('first');
  await names();
  await clock.advance(maxAgeMs);
  server.failNext({ method: 'GET', path: /\/pods$/, code: 503 });

  await expect(names()).rejects.toMatchObject({ class: 'transient' });
  expect(await names()).toEqual(['first']);
});
