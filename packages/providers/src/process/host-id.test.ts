import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostIdFrom, hostIdOf, keptId } from './host-id.ts';
import { aProcessProvider } from './testing/process-bench.ts';

const machineId = '0123456789abcdef0123456789abcdef';
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'baton-process-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe('the id of a host', () => {
  test('is the same for two services, and different in another directory', async () => {
    const [first, second, other] = [
      await aProcessProvider(directory),
      await aProcessProvider(directory, { installationId: 'other' }),
      await aProcessProvider(join(directory, 'elsewhere')),
    ];

    expect(first.hostId).toMatch(/^[0-9a-f]{16}$/);
    expect(second.hostId).toBe(first.hostId);
    expect(other.hostId).not.toBe(first.hostId);
  });

  test('is what the definition says', async () => {
    expect((await aProcessProvider(directory, { hostId: 'rack-7' })).hostId).toBe('rack-7');
  });

  test('depends on the machine id and does not show it', () => {
    const made = hostIdFrom(machineId, '/srv');

    expect(made).toBe(hostIdFrom(machineId, '/srv'));
    expect(made).not.toBe(hostIdFrom(machineId.replace('0', '1'), '/srv'));
    expect(machineId).not.toContain(made);
  });

  test.each([{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, { container: 'podman' }])(
    'is kept in the directory where the environment shows a container: %j',
    async (env) => {
      const first = await hostIdOf(directory, env);

      expect(first).toMatch(/^[0-9a-f]{16}$/);
      expect(await hostIdOf(directory, env)).toBe(first);
      expect(await readdir(directory)).toEqual(['.host-id']);
    },
  );

  test('is one, also when many services start in a new directory at once', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => keptId(directory)));

    expect(new Set(ids).size).toBe(1);
    expect(await readdir(directory)).toEqual(['.host-id']);
  });
});
