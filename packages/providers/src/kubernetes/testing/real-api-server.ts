import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AdminClient } from './admin-client.ts';
import type { ApiServer } from './cluster.ts';

const adminToken = 'admin-token';
const users = Array.from({ length: 200 }, (_, n) => ({ name: `user-${n}`, token: `token-${n}` }));
const readyTimeoutMs = 60_000;

/**
 * A real kube-apiserver with its etcd, as child processes on loopback, RBAC on, everything in a folder
 * that `close` removes.
 * @param bin Folder with `kube-apiserver`; `etcd` is there too or on the PATH.
 */
export async function startRealApiServer(bin: string): Promise<ApiServer> {
  const directory = await mkdtemp(join(tmpdir(), 'baton-apiserver-'));
  const [etcdPort = 0, peerPort = 0, port = 0] = await freePorts(3);
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const keyFile = join(directory, 'sa.key');
  const tokenFile = join(directory, 'tokens.csv');
  await writeFile(keyFile, newKey());
  await writeFile(tokenFile, tokenLines());
  const etcd = spawn(await etcdIn(bin), [
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    '--unsafe-no-fsync',
  ]);
  const apiServer = spawn(join(bin, 'kube-apiserver'), [
    `--etcd-servers=${etcdUrl}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    `--cert-dir=${directory}`,
    `--service-account-key-file=${keyFile}`,
    `--service-account-signing-key-file=${keyFile}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--token-auth-file=${tokenFile}`,
    '--authorization-mode=RBAC',
  ]);
  const close = async () => {
    await stop(apiServer);
    await stop(etcd);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const log = logOf(apiServer);
    logOf(etcd);
    const url = `https://127.0.0.1:${port}`;
    const ca = await untilReady(url, join(directory, 'apiserver.crt'), log);
    return { url, ca, adminToken, users, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function etcdIn(bin: string): Promise<string> {
  const own = join(bin, 'etcd');
  return await access(own).then(
    () => own,
    () => 'etcd',
  );
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}

function tokenLines(): string {
  const lines = users.map(({ name, token }) => `${token},${name},${name}`);
  return [`${adminToken},admin,admin,"system:masters"`, ...lines, ''].join('\n');
}

/** Reads what a process writes, so that it never blocks; gives the end of it. */
function logOf({ stdout, stderr }: ChildProcess): () => string {
  let tail = '';
  for (const stream of [stdout, stderr])
    stream?.on('data', (chunk) => {
      tail = `${tail}${String(chunk)}`.slice(-4_000);
    });
  return () => tail;
}

async function untilReady(url: string, certFile: string, log: () => string): Promise<string> {
  const endsAt = Date.now() + readyTimeoutMs;
  let cause: unknown;
  while (Date.now() < endsAt) {
    try {
      const ca = await readFile(certFile, 'utf8');
      const admin = new AdminClient({ server: url, ca, token: adminToken });
      const { status } = await admin.request('GET', '/api/v1/namespaces/default');
      await admin.close();
      if (status === 200) return ca;
    } catch (error) {
      cause = error;
    }
    await sleep(200);
  }
  throw new Error(`kube-apiserver did not become ready:\n${log()}`, { cause });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
