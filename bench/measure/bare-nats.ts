import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer, startNatsServer } from '@baton/stack';
import { AckPolicy, connect, type NatsConnection, StorageType } from 'nats';
import type { BenchContext } from '../context.ts';
import { bare } from './bare.ts';

export interface BareNats extends AsyncDisposable {
  url: string;
  pid: number;
  connection: NatsConnection;
}

/** A nats-server as it comes, with a store of its own and without users, and a connection to it. */
export async function startBareNats(
  { env, signal }: BenchContext,
  { maxAckPending = 1_000 }: { maxAckPending?: number } = {},
): Promise<BareNats> {
  const bin = await findNatsServer(env);
  await using cleanup = new AsyncDisposableStack();
  const storeDir = await mkdtemp(join(tmpdir(), 'baton-bare-nats-'));
  cleanup.defer(() => rm(storeDir, { recursive: true, maxRetries: 5 }));
  const server = await startNatsServer({ bin, storeDir, signal });
  cleanup.defer(() => server.stop());
  const { url, pid } = server;
  const connection = await connect({ servers: url });
  cleanup.defer(() => connection.close());
  const manager = await connection.jetstreamManager();
  const { stream, subject, consumer, bucket } = bare;
  await manager.streams.add({ name: stream, subjects: [subject], storage: StorageType.File });
  await manager.consumers.add(stream, {
    durable_name: consumer,
    ack_policy: AckPolicy.Explicit,
    max_ack_pending: maxAckPending,
  });
  await connection.jetstream().views.kv(bucket, { history: 1, storage: StorageType.File });
  const owned = cleanup.move();
  return { url, pid, connection, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
