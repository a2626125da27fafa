import { once } from 'node:events';
import { Secret } from '@baton/shared/config';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { eventuallyState, providerConformance } from '../conformance.ts';
import type { ComputeProvider } from '../provider.ts';
import { aRequest } from '../testing/a-request.ts';
import { eventually } from '../testing/eventually.ts';
import {
  aDockerBench,
  aDockerProvider,
  obeyImage,
  startObeyEngine,
} from './testing/docker-bench.ts';
import type { DockerEngine } from './testing/docker-engine.ts';
import { startEngineProxy } from './testing/engine-proxy.ts';
import { startCreator } from './testing/start-creator.ts';

const { signal } = new AbortController();
let engine: DockerEngine;
let provider: ComputeProvider;

beforeAll(async () => {
  engine = await startObeyEngine();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});
beforeEach(async () => {
  provider = await aDockerProvider(engine.socket);
});
afterEach(async () => {
  await engine.removeContainers();
});

providerConformance('the docker provider', () => aDockerBench(engine));

const containerSchema = z.looseObject({
  Name: z.string(),
  Path: z.string(),
  Args: z.array(z.string()),
  Config: z.looseObject({
    Labels: z.record(z.string(), z.string()),
    Env: z.array(z.string()),
    Cmd: z.array(z.string()),
  }),
  HostConfig: z.looseObject({ RestartPolicy: z.looseObject({ Name: z.string() }) }),
});

async function inspect(container: string) {
  return containerSchema.parse(await engine.inspect(`/containers/${container}/json`));
}

describe('a container of the docker provider', () => {
  test('has the name of its runner, tells whose it is, and is never started again', async () => {
    await provider.create(aRequest(), signal);

    const { Name, Config, HostConfig } = await inspect('baton-runner-1');

    expect(Name).toBe('/baton-runner-1');
    expect(Config.Labels).toEqual({
      'baton.installation': 'conformance',
      'baton.scale-set': 'set-1',
      'baton.runner-id': 'runner-1',
      'baton.runner-name': 'baton-runner-1',
      'baton.generation': 'g1',
      'baton.role': 'runner',
    });
    expect(HostConfig.RestartPolicy.Name).toBe('no');
    expect(HostConfig).toMatchObject({ AutoRemove: false, Privileged: false, Binds: [] });
  });

  test('has the JIT config in its environment, and neither in arguments nor in labels', async () => {
    await provider.create(aRequest({ jitConfig: new Secret('run s3cret') }), signal);

    const { Config, Path, Args, ...rest } = await inspect('baton-runner-1');
    const { Env, ...config } = Config;

    expect(Env).toContain('ACTIONS_RUNNER_INPUT_JITCONFIG=run s3cret');
    expect(JSON.stringify([config, Path, Args, rest])).not.toContain('s3cret');
  });

  test('is limited as the scale set says, by the kernel', async () => {
    const settings = { cpus: 0.5, memoryMiB: 64, pidsLimit: 33 };
    const files = 'memory/memory.limit_in_bytes memory.max pids/pids.max pids.max';
    const show = `sh cd /sys/fs/cgroup; cat ${files} 2>/dev/null; exit 0`;
    const jitConfig = new Secret(show);

    await provider.create(aRequest({ settings, jitConfig }), signal);
    await eventuallyState(provider, 'runner-1', 'exited');

    const printed = await engine.logs('baton-runner-1');
    expect(printed).toContain(String(64 * 2 ** 20));
    expect(printed).toMatch(/^33$/m);
    const { HostConfig } = await inspect('baton-runner-1');
    expect(HostConfig).toMatchObject({ NanoCpus: 5e8, MemorySwap: 64 * 2 ** 20 });
  });

  test('has at most the maxima where the scale set asks for nothing', async () => {
    const bounded = await aDockerProvider(engine.socket, {
      limits: { pidsLimit: 50 },
      maxima: { memoryMiB: 32, pidsLimit: 100 },
    });

    await bounded.create(aRequest(), signal);

    const { HostConfig } = await inspect('baton-runner-1');
    expect(HostConfig).toMatchObject({ Memory: 32 * 2 ** 20, PidsLimit: 50 });
  });

  test('has the labels, variables, binds and command that both files give it', async () => {
    const generous = await aDockerProvider(engine.socket, {
      env: { PROXY: 'http://proxy' },
      allowedLabels: ['acme.*'],
      binds: [{ source: '/usr', target: '/host/usr' }],
      command: ['/obey.sh', 'argument'],
      shmMiB: 8,
    });
    const settings = { env: { STAGE: 'test' }, labels: { 'acme.team': 'build' } };

    await generous.create(aRequest({ settings }), signal);

    const { Config, HostConfig } = await inspect('baton-runner-1');
    expect(Config.Env).toEqual(expect.arrayContaining(['PROXY=http://proxy', 'STAGE=test']));
    expect(Config.Labels).toMatchObject({ 'acme.team': 'build', 'baton.runner-id': 'runner-1' });
    expect(Config.Cmd).toEqual(['/obey.sh', 'argument']);
    expect(HostConfig).toMatchObject({ Binds: ['/usr:/host/usr:ro'], ShmSize: 8 * 2 ** 20 });
  });
});

describe('an end that the docker provider tells of', () => {
  test('is a want of memory', async () => {
    const eat =
      'sh while :; do x="$x$x$(dd if=/dev/zero bs=1024 count=1024 2>/dev/null | tail -c 9)aaaaaaaaaaaaaaaa"; done';
    const request = aRequest({ settings: { memoryMiB: 8 }, jitConfig: new Secret(eat) });

    await provider.create(request, signal);

    const instance = await eventuallyState(provider, 'runner-1', 'exited');
    expect(instance.exitCode).toBe(137);
    expect(instance.problem).toEqual({
      class: 'quota',
      text: 'a process of it was killed for want of memory (its limit is 8 MiB)',
    });
  });

  test('is a command that the image does not have; nothing is left of it', async () => {
    const wrong = await aDockerProvider(engine.socket, { command: ['/no-such-program'] });

    await expect(wrong.create(aRequest(), signal)).rejects.toMatchObject({
      class: 'image',
      message: expect.stringContaining('no-such-program'),
    });
    expect(await engine.containers()).toEqual([]);
  });

  test('is the SIGKILL of somebody else', async () => {
    await provider.create(aRequest(), signal);

    await engine.post('/containers/baton-runner-1/kill', undefined);

    const instance = await eventuallyState(provider, 'runner-1', 'exited');
    expect(instance).toMatchObject({ exitCode: 137 });
    expect(instance).not.toHaveProperty('problem');
  });
});

describe('creators of one runner', () => {
  test('in three processes at once make one container', async () => {
    const creators = [1, 2, 3].map(() => startCreator(engine.socket));

    const ends = await Promise.all(creators.map((creator) => once(creator, 'exit')));

    expect(ends.map(([code]) => Number(code))).toEqual([0, 0, 0]);
    expect(await engine.containers()).toHaveLength(1);
    await eventuallyState(provider, 'runner-1', 'running');
  });

  test('leave nothing behind when others delete at the same time', async () => {
    for (let round = 0; round < 5; round += 1) {
      const acts = [1, 2, 3].flatMap(() => [
        provider.create(aRequest(), signal).catch(() => undefined),
        provider.delete('runner-1', signal),
      ]);
      await Promise.all(acts);
    }
    await provider.delete('runner-1', signal);

    await eventually(async () => expect(await engine.containers()).toEqual([]));
  });

  test('killed between create and start leave a runner that has ended, and can be deleted', async () => {
    const hasty = await aDockerProvider(engine.socket, { startTimeoutMs: 1_000 });
    await using proxy = await startEngineProxy(engine, (call) => call.endsWith('/start'));
    const creator = startCreator(proxy.socket);
    const dead = once(creator, 'exit');
    await proxy.held;

    creator.kill('SIGKILL');
    await dead;

    expect(await provider.list(signal)).toMatchObject([{ state: 'starting' }]);
    const instance = await eventuallyState(hasty, 'runner-1', 'exited');
    expect(instance).not.toHaveProperty('exitCode');
    expect(instance.problem?.text).toContain('never started');
    // Its JIT config may be used once, so nobody may start it any more.
    await provider.create(aRequest(), signal);
    expect(await hasty.list(signal)).toMatchObject([{ state: 'exited' }]);
    await provider.delete('runner-1', signal);
    expect(await engine.containers()).toEqual([]);
  });

  test('that give up while it starts leave a container that was started', async () => {
    const caller = new AbortController();
    await using proxy = await startEngineProxy(engine, () => false);
    const calm = await aDockerProvider(proxy.socket);
    const progress = calm.create(aRequest(), caller.signal);
    await eventually(async () => expect(await engine.containers()).toHaveLength(1));

    caller.abort(new Error('gave up'));

    await progress.catch((error: unknown) => expect(error).toBe(caller.signal.reason));
    await eventuallyState(provider, 'runner-1', 'running');
  });

  test('hold maxInstances between them', async () => {
    const small = await aDockerProvider(engine.socket, { maxInstances: 2 });

    const asked = ['a', 'b', 'c', 'd'].map((id) =>
      small.create(aRequest({ runnerId: id, runnerName: `baton-${id}` }), signal),
    );
    const settled = await Promise.allSettled(asked);

    const refused = settled.filter(({ status }) => status === 'rejected');
    expect(refused).toMatchObject([{ reason: { class: 'quota' } }, { reason: { class: 'quota' } }]);
    expect(await small.capacity(signal)).toEqual({ free: 0 });
  });
});

describe('what is not ours', () => {
  const stranger = { Image: obeyImage, Cmd: ['/obey.sh'], HostConfig: { NetworkMode: 'none' } };

  test('keeps its name: a runner of that name cannot be created', async () => {
    await engine.post('/containers/create?name=baton-runner-1', stranger);

    await expect(provider.create(aRequest(), signal)).rejects.toMatchObject({
      class: 'transient',
      message: expect.stringContaining('not of this runner'),
    });
    await provider.delete('runner-1', signal);
    expect(await engine.containers()).toHaveLength(1);
  });

  test('is neither shown nor deleted, whatever it is called', async () => {
    await engine.post('/containers/create?name=runner-1', stranger);
    const labels = { 'baton.runner-id': 'runner-1' };
    await engine.post('/containers/create?name=other', { ...stranger, Labels: labels });

    expect(await provider.list(signal)).toEqual([]);
    for (const id of ['runner-1', 'other', ...(await engine.containers())]) {
      await provider.delete(id, signal);
    }

    expect(await engine.containers()).toHaveLength(2);
    expect(await provider.capacity(signal)).toEqual({ free: 20 });
  });
});

describe('delete', () => {
  test('ends a runner that ignores SIGTERM, after the stop timeout', async () => {
    await provider.create(aRequest({ jitConfig: new Secret('stubborn') }), signal);

    await provider.delete('runner-1', signal);

    expect(await engine.containers()).toEqual([]);
  });

  test('that is called off leaves an instance that the next one can delete', async () => {
    const patient = await aDockerProvider(engine.socket, { stopTimeoutMs: 60_000 });
    await provider.create(aRequest({ jitConfig: new Secret('stubborn') }), signal);
    const caller = new AbortController();

    const deleting = patient.delete('runner-1', caller.signal);
    caller.abort(new Error('shutting down'));

    await expect(deleting).rejects.toThrow('shutting down');
    const hasty = await aDockerProvider(engine.socket, { stopTimeoutMs: 0 });
    await hasty.delete('runner-1', signal);
    expect(await engine.containers()).toEqual([]);
  });
});
