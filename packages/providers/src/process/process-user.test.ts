import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@baton/shared/errors';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { eventuallyState, providerConformance } from '../conformance.ts';
import { aRequest } from '../testing/a-request.ts';
import { eventually } from '../testing/eventually.ts';
import { aProcessBench, aProcessProvider } from './testing/process-bench.ts';

/** Real processes, on a host that may be busy. */
vi.setConfig({ testTimeout: 60_000 });

const { signal } = new AbortController();
const isRoot = process.getuid?.() === 0;
/** Nobody's. */
const user = { uid: 65_534, gid: 65_534 };

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'baton-process-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

test('a runner as root is no user', async () => {
  await expect(aProcessProvider(directory, { user: { uid: 0, gid: 0 } })).rejects.toThrow();
});

if (isRoot) asRoot();
else
  test('another user is refused to a service that is not root', async () => {
    const making = aProcessProvider(directory, { user });

    await expect(making).rejects.toThrow(ConfigError);
    await expect(making).rejects.toThrow('run the service as root');
  });

function asRoot(): void {
  providerConformance('the process provider with another user', () => aProcessBench({ user }));

  describe('a runner of another user', () => {
    test('has its rights, its own work folder, and none of the secrets of the service', async () => {
      const secret = join(directory, 'credentials.yaml');
      await writeFile(secret, 's3cret', { mode: 0o600 });
      const script = [
        'id -u; id -g; id -G; pwd; echo "$HOME"; touch mine',
        `cat ${secret} /proc/${process.pid}/environ ../instance.json ../pid; ls .. ${directory}`,
        'touch ../escaped; kill -0 $PPID',
      ].join('; ');
      const command = ['/bin/sh', '-c', script];
      const provider = await aProcessProvider(directory, { command, user });
      const folder = join(directory, 'conformance/runner-1');

      await provider.create(aRequest(), signal);
      await eventuallyState(provider, 'runner-1', 'exited');

      const work = join(folder, 'work');
      await eventually(async () => {
        const denied = await readFile(join(folder, 'stderr.log'), 'utf8');
        expect(denied.match(/denied|not permitted/gi)?.length).toBeGreaterThanOrEqual(7);
        const [uid, gid, groups, ...rest] = (
          await readFile(join(folder, 'stdout.log'), 'utf8')
        ).split('\n');
        expect([uid, gid, groups]).toEqual(['65534', '65534', '65534']);
        // `pid` alone may be read: a pid is no secret.
        expect(rest.slice(0, 2)).toEqual([work, work]);
        expect(rest.join('\n')).not.toContain('s3cret');
      });
      expect((await stat(join(work, 'mine'))).uid).toBe(user.uid);
      await provider.delete('runner-1', signal);
    });

    test('is refused a directory that it cannot reach', async () => {
      const making = aProcessProvider(join(directory, 'closed/instances'), { user });
      await expect(making).rejects.toThrow('cannot reach');
      await expect(making).rejects.toThrow('chmod o+x');
    });
  });
}
