import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { BootstrapPort, BootstrapRequest, ComputeProvider } from '@baton/providers';
import { Secret } from '@baton/shared/config';
import { runnerKey } from '@baton/shared/contracts';
import { aRunner, eventually } from '@baton/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordOf, scaleSetId } from '../testing/booting-instance.ts';
import { ExternalBench } from '../testing/external-bench.ts';
import { asJitConfig } from '../testing/recorded-provider.ts';

const { signal } = new AbortController();
const runnerId = 'abc23';
const runnerName = `linux-conformance-${runnerId}`;
const patient = { timeoutMs: 40_000, everyMs: 50 };

let bench: ExternalBench;
let provider: ComputeProvider;
beforeEach(async () => {
  bench = await ExternalBench.start();
}, 60_000);
afterEach(async () => {
  const instances = await provider.list(signal);
  await Promise.all(instances.map(({ instanceId }) => provider.delete(instanceId, signal)));
  await bench[Symbol.asyncDispose]();
}, 60_000);

/** Creates an instance; returns the token that it was given. `change` spoils what it may fetch. */
async function boot(change: (request: BootstrapRequest) => BootstrapRequest): Promise<string> {
  const record = aRunner({ scaleSetId, runnerId, name: runnerName, state: 'creating' });
  await bench.stores.runners.put(runnerKey(scaleSetId, runnerId), record);
  const { port } = await bench.bootstrap();
  let token = '';
  const noting: BootstrapPort = {
    issue: async (request, within) => {
      const access = await port.issue(change(request), within);
      token = access.token.reveal();
      return access;
    },
  };
  provider = await bench.provider(noting);
  const who = { runnerId, runnerName, scaleSetId, installationId: 'conformance' };
  const jitConfig = asJitConfig(new Secret('run'));
  await provider.create({ ...who, generation: 'g1', jitConfig, settings: {} }, signal);
  return token;
}

/** What the machine wrote, and what everybody on it can see of its processes. */
async function seenOnMachine(): Promise<{ log: string; processes: string }> {
  const folders = await readdir(join(bench.dir, 'machines'), {
    recursive: true,
    withFileTypes: true,
  });
  const log = folders.find(({ name }) => name === 'log');
  if (!log) throw new Error('the machine has no log');
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const processes = await Promise.all(pids.map((pid) => shown(pid, log.parentPath)));
  return {
    log: await readFile(join(log.parentPath, 'log'), 'utf8'),
    processes: processes.join(''),
  };
}

async function shown(pid: string, folder: string): Promise<string> {
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
  if (!cwd.startsWith(folder)) return '';
  const read = ['cmdline', 'environ'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8'));
  return (await Promise.all(read.map((text) => text.catch(() => '')))).join('\n');
}

test('a runner whose archive has another checksum is not started, and its record says why', async () => {
  const token = await boot((request) => ({
    ...request,
    tool: { ...bench.tool, sha256: '0'.repeat(64) },
  }));

  await eventually(
    async () =>
      expect(await recordOf(bench, runnerId)).toMatchObject({
        state: 'failed',
        failure: { class: 'bootstrap-failed' },
      }),
    patient,
  );
  expect((await recordOf(bench, runnerId))?.failure?.text).toContain('another checksum');
  expect((await seenOnMachine()).log).not.toContain(token);
}, 120_000);

test('the token stands in no log, no argument and no environment of the machine', async () => {
  const token = await boot((request) => request);

  const seen = await eventually(async () => {
    const all = await seenOnMachine();
    expect(all.processes).toContain('tail');
    return all;
  }, patient);

  expect(token).not.toBe('');
  expect(seen.processes).not.toContain(token);
  expect(seen.log).not.toContain(token);
}, 120_000);
