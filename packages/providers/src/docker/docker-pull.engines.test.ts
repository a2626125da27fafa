import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventuallyState } from '../conformance.ts';
import type { CreateRequest } from '../provider.ts';
import { aRequest } from '../testing/a-request.ts';
import { eventually } from '../testing/eventually.ts';
import { aDockerProvider, startObeyEngine } from './testing/docker-bench.ts';
import type { DockerEngine } from './testing/docker-engine.ts';
import { ImageRegistry, login, makeImage } from './testing/image-registry.ts';

const { signal } = new AbortController();
let engine: DockerEngine;
let registry: ImageRegistry;
let guarded: ImageRegistry;
let image: Awaited<ReturnType<typeof makeImage>>;
let passwordFile: string;

beforeAll(async () => {
  engine = await startObeyEngine();
  const scratch = join(engine.dir, 'scratch');
  await mkdir(scratch);
  image = await makeImage(join(engine.dir, 'rootfs'), scratch);
  registry = await ImageRegistry.start(image);
  guarded = await ImageRegistry.start(image, { needsLogin: true });
  passwordFile = join(engine.dir, 'password');
  await writeFile(passwordFile, `${login.password}\n`);
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await guarded[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
});
afterEach(async () => {
  registry.calls.length = 0;
  await engine.removeContainers();
  await engine.removeImages('127.0.0.1:');
});

const imageOf = (repository: string) => `${registry.host}/${repository}:1`;
const guardedImage = () => `${guarded.host}/public/obey:1`;

async function create(definition: object, request: Partial<CreateRequest> = {}) {
  const provider = await aDockerProvider(engine.socket, { ...definition });
  return await provider.create(aRequest(request), signal);
}

/** How often the engine asked which image the tag is now: once a pull. */
const pulls = (repository: string) =>
  registry.calls.filter((call) => call.endsWith(` /v2/${repository}/manifests/1`)).length;

describe('an image that the engine does not have', () => {
  test('is pulled, once for all who want it, and all are told how far it is', async () => {
    const provider = await aDockerProvider(engine.socket, { image: imageOf('slow/obey') });
    const told: string[][] = [[], [], []];

    const creating = told.map((texts, index) => {
      const progress = (text: string) => void texts.push(text);
      const names = { runnerId: `r${index}`, runnerName: `baton-r${index}` };
      return provider.create(aRequest({ ...names, progress }), signal);
    });
    await Promise.all(creating);

    expect(pulls('slow/obey')).toBe(1);
    expect(registry.calls.filter((call) => call.includes('/blobs/'))).toHaveLength(3);
    for (const texts of told) {
      const percents = texts.map((text) => Number(/^pulling image \S+: (\d+) %$/.exec(text)?.[1]));
      expect(percents.length).toBeGreaterThan(2);
      expect(percents).toEqual(percents.toSorted((a, b) => a - b));
      expect(percents.some((percent) => percent > 10 && percent < 90)).toBe(true);
    }
    await eventuallyState(provider, 'r2', 'running');
  });

  test('is not pulled again once it is there, unless the policy is always', async () => {
    const image = imageOf('public/obey');
    await create({ image });
    await create({ image }, { runnerId: 'r2', runnerName: 'baton-r2' });
    expect(pulls('public/obey')).toBe(1);

    await create({ image, pullPolicy: 'always' }, { runnerId: 'r3', runnerName: 'baton-r3' });

    expect(pulls('public/obey')).toBe(2);
  });

  test('is not pulled when the policy is never', async () => {
    await expect(
      create({ image: imageOf('public/obey'), pullPolicy: 'never' }),
    ).rejects.toMatchObject({ class: 'image' });
    expect(registry.calls).toEqual([]);
  });

  test('is pulled by digest too', async () => {
    await create({ image: imageOf('public/obey') });
    const [digest = ''] = await engine.digests(imageOf('public/obey'));
    await engine.removeContainers();
    await engine.removeImages('127.0.0.1:');

    await create({ image: digest });

    expect(digest).toMatch(/@sha256:/);
    expect(await engine.containers()).toHaveLength(1);
  });

  test('needs the login that the operator has for its registry, read anew each time', async () => {
    const file = join(engine.dir, 'rotated');
    await writeFile(file, 'an old one');
    const { username } = login;
    const definition = {
      image: guardedImage(),
      registries: { [guarded.host]: { username, passwordFile: file } },
    };
    await expect(create(definition)).rejects.toMatchObject({ class: 'image' });

    await writeFile(file, login.password);

    await expect(create(definition)).resolves.toEqual({ instanceId: 'runner-1' });
  });

  test('gets no login that is for another registry', async () => {
    const registries = { 'other.example': { username: login.username, passwordFile } };

    await expect(create({ image: guardedImage(), registries })).rejects.toMatchObject({
      class: 'image',
      message: expect.not.stringContaining(login.password),
    });
  });
});

describe('an image that cannot be had', () => {
  test.each([
    ['denied/obey', 'image', /denied/],
    ['nothing/obey', 'image', /not found|name unknown/],
    ['busy/obey', 'transient', /toomanyrequests/],
    ['broken/obey', 'image', /registry does not answer as it should/],
  ])('%s: %s', async (repository, errorClass, text) => {
    const failure = create({ image: imageOf(repository) });

    await expect(failure).rejects.toMatchObject({
      class: errorClass,
      message: expect.stringMatching(text),
    });
    await expect(failure).rejects.toThrow(`pull image ${imageOf(repository)}`);
    expect(await engine.containers()).toEqual([]);
  });

  test('for a tag that is not there', async () => {
    await expect(create({ image: `${registry.host}/public/obey:2` })).rejects.toMatchObject({
      class: 'image',
      message: expect.stringMatching(/manifest unknown/),
    });
  });

  test('for a registry that nobody serves', async () => {
    await expect(create({ image: '127.0.0.1:1/public/obey:1' })).rejects.toMatchObject({
      class: 'image',
      message: expect.stringMatching(/connection refused/),
    });
  });

  test('within the time for it', async () => {
    const image = imageOf('stalled/obey');

    await expect(create({ image, pullTimeoutMs: 2_000 })).rejects.toMatchObject({
      class: 'image',
      message: expect.stringContaining('took longer than 2000 ms'),
    });
  });

  test('for want of space', async () => {
    await using small = await startObeyEngine({ diskMiB: 24 });

    const provider = await aDockerProvider(small.socket, { image: imageOf('public/obey') });

    await expect(provider.create(aRequest(), signal)).rejects.toMatchObject({
      class: 'quota',
      message: expect.stringContaining('no space left on device'),
    });
  });
});

describe('whoever gives up', () => {
  test('does not disturb others who wait for the same image', async () => {
    const provider = await aDockerProvider(engine.socket, { image: imageOf('slow/obey') });
    const hasty = new AbortController();
    const first = provider.create(aRequest(), hasty.signal);
    const names = { runnerId: 'r2', runnerName: 'baton-r2' };
    const second = provider.create(aRequest(names), signal);
    await eventually(() => expect(registry.calls.join()).toContain('/blobs/'));

    hasty.abort(new Error('gave up'));

    await expect(first).rejects.toThrow('gave up');
    await expect(second).resolves.toEqual({ instanceId: 'r2' });
    expect(await engine.containers()).toHaveLength(1);
  });

  test('ends a pull that nobody else waits for; the next one starts anew', async () => {
    await using own = await ImageRegistry.start(image);
    const provider = await aDockerProvider(engine.socket, { image: `${own.host}/slow/obey:1` });
    const hasty = new AbortController();
    const creating = provider.create(aRequest(), hasty.signal);
    await eventually(() => expect(own.calls.join()).toContain('/blobs/'));

    hasty.abort(new Error('gave up'));

    await expect(creating).rejects.toThrow('gave up');
    await eventually(() => expect(own.brokenOff).toBeGreaterThan(0));
    await expect(provider.create(aRequest(), signal)).resolves.toBeDefined();
    expect(own.calls.filter((call) => call.endsWith('/manifests/1'))).toHaveLength(2);
  });
});
