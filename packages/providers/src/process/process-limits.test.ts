import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '@baton/shared/errors';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { eventuallyState, providerConformance } from '../conformance.ts';
import type { ComputeProvider } from '../provider.ts';
import { aRequest } from '../testing/a-request.ts';
import { eventually } from '../testing/eventually.ts';
import { aProcessBench, aProcessProvider } from './testing/process-bench.ts';
import { aTestCgroup, testLimits as limits, type TestCgroup } from './testing/test-cgroup.ts';

/** Real processes, on a host that may be busy. */
vi.setConfig({ testTimeout: 60_000 });

const { signal } = new AbortController();
const cgroup = await aTestCgroup();

let bench: Awaited<ReturnType<typeof aProcessBench>>;
let providers: ComputeProvider[];

beforeEach(async () => {
  bench = await aProcessBench();
  providers = [bench.provider];
});
afterEach(async () => {
  for (const provider of providers)
    for (const { instanceId } of await provider.list(signal))
      await provider.delete(instanceId, signal);
  await bench.dispose();
});
afterAll(async () => await cgroup?.dispose());

/** A provider whose runners are this shell script. */
async function running(script: string, definition: Record<string, unknown>) {
  const command = ['/bin/sh', '-c', script];
  const provider = await aProcessProvider(bench.directory, { command, ...definition });
  providers.push(provider);
  return provider;
}

test('limits without a cgroup are refused', async () => {
  await expect(aProcessProvider(bench.directory, { limits })).rejects.toThrow(ConfigError);
  await expect(aProcessProvider(bench.directory, { limits })).rejects.toThrow('need "cgroup"');
});

if (cgroup) withCgroups(cgroup);
else
  test('limits that this host, or these rights, cannot give are refused', async () => {
    const making = aProcessProvider(bench.directory, { limits, cgroup: '/baton-test' });

    await expect(making).rejects.toThrow(ConfigError);
    await expect(making).rejects.toThrow('cgroup');
  });

function withCgroups({ cgroup, folders }: TestCgroup): void {
  const definition = { cgroup, limits: { memoryBytes: 64 * 2 ** 20, cpus: 2, pids: 64 } };
  providerConformance('the process provider with limits', () => aProcessBench(definition));

  describe('an instance in a cgroup', () => {
    afterEach(async () => {
      const left = await Promise.all(folders.map(entriesOf));
      expect(left.flat()).toEqual([]);
    });

    test('is killed at its memory limit, and says so', async () => {
      const provider = await running('exec tail /dev/zero', { cgroup, limits });

      await provider.create(aRequest(), signal);
      const instance = await eventuallyState(provider, 'runner-1', 'exited');

      expect(instance).toMatchObject({
        exitCode: 137,
        problem: {
          class: 'quota',
          text: 'the kernel killed a process of the runner at its memory limit of 32 MiB',
        },
      });
      await provider.delete('runner-1', signal);
    });

    test('cannot have more processes than its limit, and its books are kept', async () => {
      const script = 'for i in $(seq 60); do sleep 60 & done; exit 0';
      const provider = await running(script, { cgroup, limits });

      await provider.create(aRequest(), signal);
      const instance = await eventuallyState(provider, 'runner-1', 'exited');

      expect(instance.exitCode).not.toBe(0);
      await eventually(async () => expect(await readLog('stderr')).toMatch(/fork/i));
      const counts = await Promise.all(folders.map((folder) => processesIn(folder, 'runner')));
      expect(Math.max(...counts)).toBeGreaterThan(0);
      expect(Math.max(...counts)).toBeLessThanOrEqual(limits.pids);
      await provider.delete('runner-1', signal);
    });

    test('is held back at its processor limit', async () => {
      const provider = await running('while :; do :; done', { cgroup, limits: { cpus: 0.1 } });

      await provider.create(aRequest(), signal);

      await eventually(async () => {
        const texts = await Promise.all(folders.map((folder) => inRunner(folder, 'cpu.stat')));
        expect(texts.join('\n')).toMatch(/^nr_throttled [1-9]/m);
      });
      await provider.delete('runner-1', signal);
    });

    test('loses with its deletion also what left its process group', async () => {
      const script = 'setsid sh -c "echo \\$\\$ >escaped; exec sleep 60" & exit 0';
      const provider = await running(script, { cgroup });
      await provider.create(aRequest(), signal);
      await eventuallyState(provider, 'runner-1', 'exited');
      const pid = await eventually(async () =>
        Number(await readFile(join(bench.directory, 'conformance/runner-1/work/escaped'), 'utf8')),
      );
      expect(isAlive(pid)).toBe(true);

      const other = await running('true', { cgroup });
      await other.delete('runner-1', signal);

      await eventually(() => expect(isAlive(pid)).toBe(false));
    });

    test('may have less than the definition gives, and not more', async () => {
      const provider = await running('exec tail /dev/zero', { cgroup, limits });
      const ask = (memoryBytes: number) =>
        aRequest({ settings: { limits: { memoryBytes: memoryBytes * 2 ** 20 } } });

      await expect(provider.create(ask(33), signal)).rejects.toMatchObject({
        class: 'invalid-settings',
        message: expect.stringContaining("above the provider's") as unknown,
      });
      await provider.create(ask(16), signal);

      const instance = await eventuallyState(provider, 'runner-1', 'exited');
      expect(instance.problem?.text).toContain('limit of 16 MiB');
      await provider.delete('runner-1', signal);
    });

    test('has one cgroup, however many created it at once', async () => {
      const [first, second] = [
        await running('sleep 60', { cgroup }),
        await running('', { cgroup }),
      ];

      await Promise.all(
        [first, second, first, second].map((one) => one.create(aRequest(), signal)),
      );

      const [entries = []] = await Promise.all(folders.map(entriesOf));
      expect(entries).toHaveLength(1);
      await first.delete('runner-1', signal);
    });
  });
}

async function entriesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function inRunner(folder: string, file: string): Promise<string> {
  const [name = ''] = await entriesOf(folder);
  return await readFile(join(folder, name, 'runner', file), 'utf8').catch(() => '');
}

async function processesIn(folder: string, half: string): Promise<number> {
  const [name = ''] = await entriesOf(folder);
  const text = await readFile(join(folder, name, half, 'cgroup.procs'), 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean).length;
}

async function readLog(name: string): Promise<string> {
  return await readFile(join(bench.directory, `conformance/runner-1/${name}.log`), 'utf8');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
