import { once } from 'node:events';
import { Secret } from '@baton/shared/config';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { ComputeProvider } from '../provider.ts';
import { aRequest } from '../testing/a-request.ts';
import { eventually } from '../testing/eventually.ts';
import { aDockerProvider, obeyImage, startObeyEngine } from './testing/docker-bench.ts';
import type { DockerEngine } from './testing/docker-engine.ts';
import { startEngineProxy } from './testing/engine-proxy.ts';
import { startCreator } from './testing/start-creator.ts';

const { signal } = new AbortController();
let engine: DockerEngine;
let provider: ComputeProvider;

/** Stands in for a daemon: what counts here is what becomes of the two containers. */
const dind = {
  // A host that may not give all rights away could not start it.
  privileged: false,
  image: obeyImage,
  command: [
    'sh',
    '-c',
    'trap "exit 0" TERM; touch /run/daemon/docker.sock; while :; do sleep 1; done',
  ],
  socket: '/run/daemon/docker.sock',
  sharedFolders: ['/work'],
  readyCommand: ['test', '-e', '/run/daemon/docker.sock'],
};
const settings = { dind: true };

beforeAll(async () => {
  engine = await startObeyEngine();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});
beforeEach(async () => {
  provider = await aDockerProvider(engine.socket, { dind });
});
afterEach(async () => {
  await engine.removeContainers();
});

const volumesSchema = z.object({ Volumes: z.array(z.unknown()).nullish() });

async function volumes(): Promise<unknown[]> {
  return volumesSchema.parse(await engine.inspect('/volumes')).Volumes ?? [];
}

describe('a runner with a Docker daemon of its own', () => {
  test('starts after the daemon is ready, shares its folders and network, and is one instance', async () => {
    const look =
      'sh test -e /run/daemon/docker.sock && touch /work/mine && echo $DOCKER_HOST; sleep 60';
    const request = aRequest({
      settings: { ...settings, memoryMiB: 64 },
      jitConfig: new Secret(look),
    });

    await provider.create(request, signal);

    expect(await provider.list(signal)).toMatchObject([{ runnerId: 'runner-1', state: 'running' }]);
    expect(await provider.capacity(signal)).toEqual({ free: 19 });
    await eventually(async () =>
      expect(await engine.logs('baton-runner-1')).toBe('unix:///run/daemon/docker.sock\n'),
    );
    const daemon = await engine.inspect('/containers/baton-runner-1-docker/json');
    const { Id } = z.object({ Id: z.string() }).parse(daemon);
    expect(daemon).toMatchObject({
      HostConfig: { Privileged: false, Memory: 64 * 2 ** 20, VolumesFrom: [expect.any(String)] },
    });
    expect(await engine.inspect('/containers/baton-runner-1/json')).toMatchObject({
      HostConfig: {
        Privileged: false,
        NetworkMode: expect.stringMatching(`^container:(${Id}|baton-runner-1-docker)$`),
      },
    });
  });

  test('goes with its daemon and their volumes', async () => {
    await provider.create(aRequest({ settings }), signal);
    const before = await volumes();

    await provider.delete('runner-1', signal);

    expect(before).toHaveLength(2);
    expect(await engine.containers()).toEqual([]);
    expect(await volumes()).toEqual([]);
  });

  test('is gone wholly after a delete that stopped half way', async () => {
    await provider.create(aRequest({ settings }), signal);
    await using proxy = await startEngineProxy(engine, isSecond('DELETE'));
    const halfWay = await aDockerProvider(proxy.socket, { dind });
    const caller = new AbortController();
    const deleting = halfWay.delete('runner-1', caller.signal);
    await proxy.held;
    caller.abort(new Error('killed'));
    await expect(deleting).rejects.toThrow('killed');

    expect(await engine.containers()).toHaveLength(1);
    expect(await provider.list(signal)).toMatchObject([{ runnerId: 'runner-1', state: 'exited' }]);
    expect(await provider.capacity(signal)).toEqual({ free: 19 });
    await provider.delete('runner-1', signal);

    expect(await engine.containers()).toEqual([]);
    expect(await volumes()).toEqual([]);
  });

  test.each([
    { step: 'before the daemon is made', holds: isSecond('POST', '/create'), left: 1 },
    { step: 'before the daemon is started', holds: isFirst('/start'), left: 2 },
    { step: 'before the runner is started', holds: isSecond('POST', '/start'), left: 2 },
  ])('whose creator died $step is shown, and deleted wholly', async ({ holds, left }) => {
    await using proxy = await startEngineProxy(engine, holds);
    const creator = startCreator(proxy.socket, settings, { dind });
    const dead = once(creator, 'exit');
    await proxy.held;

    creator.kill('SIGKILL');
    await dead;

    expect(await engine.containers()).toHaveLength(left);
    expect(await provider.list(signal)).toMatchObject([{ state: 'starting' }]);
    await provider.delete('runner-1', signal);
    expect(await engine.containers()).toEqual([]);
    expect(await volumes()).toEqual([]);
  });

  test('whose daemon does not come up is not started; nothing is left of it', async () => {
    const broken = await aDockerProvider(engine.socket, {
      dind: { ...dind, command: ['sh', '-c', 'exit 1'] },
    });

    await expect(broken.create(aRequest({ settings }), signal)).rejects.toMatchObject({
      class: 'transient',
      message: expect.stringContaining('did not come up'),
    });
    expect(await engine.containers()).toEqual([]);
    expect(await volumes()).toEqual([]);
  });

  test('says so when its daemon has ended', async () => {
    await provider.create(aRequest({ settings }), signal);

    await engine.post('/containers/baton-runner-1-docker/kill', undefined);

    await eventually(async () =>
      expect(await provider.list(signal)).toMatchObject([
        {
          state: 'running',
          problem: { class: 'transient', text: expect.stringContaining('daemon') },
        },
      ]),
    );
  });

  test('is not to be had where the operator does not allow it', async () => {
    const strict = await aDockerProvider(engine.socket);

    await expect(strict.create(aRequest({ settings }), signal)).rejects.toMatchObject({
      class: 'invalid-settings',
      message: expect.stringContaining('settings.dind'),
    });
  });
});

function isFirst(end: string): (call: string) => boolean {
  return (call) => call.split('?')[0]?.endsWith(end) ?? false;
}

/** Of the calls with this method and end of the path, lets the first one through. */
function isSecond(method: string, end = ''): (call: string) => boolean {
  let count = 0;
  return (call) => {
    const [path = ''] = call.split('?');
    if (path.startsWith(method) && path.endsWith(end)) count += 1;
    return count > 1;
  };
}
