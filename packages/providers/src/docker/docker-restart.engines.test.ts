import { chmod } from 'node:fs/promises';
import { Secret } from '@baton/shared/config';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventuallyState } from '../conformance.ts';
import type { ComputeProvider } from '../provider.ts';
import { aRequest } from '../testing/a-request.ts';
import { aDockerProvider, startObeyEngine } from './testing/docker-bench.ts';
import type { DockerEngine } from './testing/docker-engine.ts';

const { signal } = new AbortController();
let engine: DockerEngine;
let provider: ComputeProvider;

async function startEngine(...flags: string[]): Promise<void> {
  engine = await startObeyEngine({ flags });
  provider = await aDockerProvider(engine.socket);
}

afterEach(async () => {
  await engine[Symbol.asyncDispose]();
});

describe.each(['SIGTERM', 'SIGKILL'] as const)(
  'a daemon ended with %s and started again',
  (how) => {
    test('keeps runners running where live restore is on', async () => {
      await startEngine('--live-restore');
      await provider.create(aRequest(), signal);
      await eventuallyState(provider, 'runner-1', 'running');

      await engine.end(how);
      await expect(provider.list(signal)).rejects.toMatchObject({ class: 'transient' });
      await engine.launch();

      expect(await provider.list(signal)).toMatchObject([
        { runnerId: 'runner-1', state: 'running' },
      ]);
      await provider.delete('runner-1', signal);
      expect(await engine.containers()).toEqual([]);
    });

    test('has ended the runners otherwise, and says so', async () => {
      await startEngine();
      await provider.create(aRequest(), signal);
      await eventuallyState(provider, 'runner-1', 'running');

      await engine.end(how);
      await engine.launch();

      const instance = await eventuallyState(provider, 'runner-1', 'exited');
      expect(instance).toMatchObject({ runnerId: 'runner-1', exitCode: expect.any(Number) });
      await provider.delete('runner-1', signal);
      expect(await engine.containers()).toEqual([]);
    });

    test('knows how runners ended meanwhile where live restore is on', async () => {
      await startEngine('--live-restore');
      const short = aRequest({ jitConfig: new Secret('sh sleep 3; exit 5') });
      await provider.create(short, signal);
      const [id = ''] = await engine.containers();

      await engine.end(how);
      await engine.ended(id);
      await engine.launch();

      const instance = await eventuallyState(provider, 'runner-1', 'exited');
      expect(Date.parse(instance.exitedAt ?? '')).not.toBeNaN();
      expect(instance.exitCode).toBeTypeOf('number');
    });
  },
);

describe('an engine that is not there', () => {
  beforeEach(() => startEngine());

  test('is a passing fault of every call', async () => {
    await engine.end('SIGTERM');

    const away = { class: 'transient', retryable: true };
    await expect(provider.create(aRequest(), signal)).rejects.toMatchObject(away);
    await expect(provider.list(signal)).rejects.toMatchObject(away);
    await expect(provider.delete('runner-1', signal)).rejects.toMatchObject(away);
    await expect(provider.capacity(signal)).rejects.toMatchObject(away);
    await engine.launch();
    expect(await provider.list(signal)).toEqual([]);
  });

  test('denies who has no rights to its socket', async () => {
    await chmod(engine.dir, 0o755);
    await chmod(engine.socket, 0o600);

    process.seteuid?.(65_534);
    const listing = provider.list(signal);
    const outcome = await listing
      .catch((error: unknown) => error)
      .finally(() => process.seteuid?.(0));

    expect(outcome).toMatchObject({ class: 'denied', retryable: false });
  });
});

test('the provider of a local engine has its id as host id, so that others leave it alone', async () => {
  await startEngine();
  const { hostId } = provider;

  await engine.end('SIGKILL');
  await engine.launch();

  expect(hostId).toMatch(/^docker:.{10,}/);
  expect((await aDockerProvider(engine.socket)).hostId).toBe(hostId);
});
