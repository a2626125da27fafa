import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BootstrapAccess } from '@baton/providers';
import { Secret } from '@baton/shared/config';
import { type Runner, runnerKey } from '@baton/shared/contracts';
import { aRunner } from '@baton/testkit';
import type { ExternalBench } from './external-bench.ts';
import { asJitConfig } from './recorded-provider.ts';

export const scaleSetId = 'set-1';
export const jitWord = 'word-of-the-credentials';

const { signal } = new AbortController();
let ids = 0;

/** A runner that starts, and what its instance was told. */
export async function aStartingRunner(
  bench: ExternalBench,
  { port }: Pick<Awaited<ReturnType<ExternalBench['bootstrap']>>, 'port'>,
  part: Partial<Runner> = {},
) {
  ids += 1;
  const runnerId = `r${ids}`;
  const runnerName = `linux-test-${runnerId}`;
  const record = aRunner({ scaleSetId, runnerId, name: runnerName, state: 'starting', ...part });
  await bench.stores.runners.put(runnerKey(scaleSetId, runnerId), record);
  const access = await port.issue(
    {
      runnerId,
      runnerName,
      scaleSetId,
      osType: 'linux',
      jitConfig: asJitConfig(new Secret(jitWord)),
      caBundle: '-----BEGIN CERTIFICATE-----',
      proxy: { http: '', https: '', noProxy: '' },
    },
    signal,
  );
  return { runnerId, runnerName, access };
}

export async function get({ metadataUrl, token }: BootstrapAccess, path: string) {
  const headers = { authorization: `Bearer ${token.reveal()}` };
  const answer = await fetch(`${metadataUrl}/${path}`, { headers });
  return { status: answer.status, text: await answer.text() };
}

export async function post({ callbackUrl, token }: BootstrapAccess, path: string, body: string) {
  const headers = { authorization: `Bearer ${token.reveal()}` };
  const answer = await fetch(`${callbackUrl}/${path}`, { method: 'POST', headers, body });
  return { status: answer.status, text: await answer.text() };
}

/** Everything that nats-server wrote for a stream. */
export async function filesOf(bench: ExternalBench, stream: string): Promise<string> {
  const names = await readdir(bench.nats.dir, { recursive: true, withFileTypes: true });
  const files = names.filter((file) => file.isFile() && file.parentPath.includes(stream));
  const read = files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1'));
  return (await Promise.all(read)).join();
}

export async function recordOf(
  bench: ExternalBench,
  runnerId: string,
): Promise<Runner | undefined> {
  return (await bench.stores.runners.get(runnerKey(scaleSetId, runnerId)))?.value;
}
