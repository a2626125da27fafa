import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askSweep } from '@baton/shared/messaging';
import { openLeases, openSweeps } from '@baton/shared/stores';
import {
  eventually,
  startTestNats,
  startTestProcess,
  startTestSimulator,
  type TestNats,
  type TestSimulator,
} from '@baton/testkit';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const leaseTtlMs = 2_000;

let server: TestNats;
let sim: TestSimulator;
let dir: string;
beforeAll(async () => {
  [server, sim] = await Promise.all([startTestNats({ leaseTtlMs }), startTestSimulator()]);
  dir = await mkdtemp(join(tmpdir(), 'baton-takeover-'));
});
afterAll(async () => {
  await Promise.all([server[Symbol.asyncDispose](), sim[Symbol.asyncDispose]()]);
  await rm(dir, { recursive: true });
});

async function startJanitor(instance: string) {
  const providers = join(dir, 'providers.yaml');
  const local = { type: 'process', directory: join(dir, 'instances'), command: ['/bin/true'] };
  await writeFile(
    providers,
    JSON.stringify({ providers: { local: { ...local, hostId: 'here' } } }),
  );
  const child = startTestProcess(main, {
    env: {
      ...server.variablesOf('janitor'),
      BATON_CREDENTIALS_FILE: await sim.writeCredentials(dir),
      BATON_PROVIDERS_FILE: providers,
      BATON_INSTANCE: instance,
      BATON_HEALTH_HOST: '127.0.0.1',
      BATON_HEALTH_PORT: '0',
      BATON_LEASE_TTL_MS: String(leaseTtlMs),
      BATON_SWEEP_EVERY_MS: '1000',
      BATON_GITHUB_SWEEP_EVERY_MS: '1000',
    },
  });
  onTestFinished(() => child[Symbol.asyncDispose]());
  return child;
}

test('when the leader is killed, the other janitor leads all parts, and runs them', async () => {
  const admin = await server.connect('admin');
  const [leases, sweeps] = [await openLeases(admin), await openSweeps(admin)];
  const leaders = async () =>
    Object.fromEntries(
      (await leases.list('sweep')).map(({ key, value }) => [key, value.identity] as const),
    );
  const allOf = (identity: string) => ({
    'sweep.finished': identity,
    'sweep.lost.here': identity,
    'sweep.never-registered': identity,
    'sweep.offline.here': identity,
    'sweep.orphan-instances.here': identity,
    'sweep.orphan-registrations.here': identity,
    'sweep.stuck-creating.here': identity,
  });
  const first = await startJanitor('first');
  await eventually(async () => expect(await leaders()).toEqual(allOf('first')), {
    timeoutMs: 30_000,
  });
  await startJanitor('second');
  await eventually(
    async () => {
      expect((await sweeps.list('state')).map(({ value }) => value.by)).toHaveLength(7);
    },
    { timeoutMs: 30_000 },
  );

  first.signal('SIGKILL');

  await eventually(async () => expect(await leaders()).toEqual(allOf('second')), {
    timeoutMs: 30_000,
  });
  await eventually(
    async () => {
      const states = (await sweeps.list('state')).map(({ value: { by, problem } }) => ({
        by,
        problem,
      }));
      expect(states).toEqual(
        Array.from({ length: 7 }, () => ({ by: 'second', problem: undefined })),
      );
    },
    { timeoutMs: 30_000 },
  );
  const cli = await server.connect('cli');
  const { parts } = await askSweep(cli, { sweep: 'lost', dryRun: true, timeoutMs: 5_000 });
  expect(parts).toMatchObject([{ instance: 'second', hostId: 'here', end: { kind: 'done' } }]);
}, 120_000);
