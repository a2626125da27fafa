import {
  AckPolicy,
  DiscardPolicy,
  type JetStreamManager,
  nanos,
  RetentionPolicy,
  StorageType,
} from 'nats';
import type {
  BucketDefinition,
  ConsumerDefinition,
  StreamDefinition,
  Topology,
} from '../contracts/index.ts';
import { AppError } from '../errors/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Clock } from '../time/index.ts';
import type { Nats } from './connect.ts';
import { isMissing, natsFailure } from './nats-error.ts';

/** Of buckets, as the client sets it when it makes one, in ms. */
const duplicateWindowMs = 120_000;

/** One thing that differs from what the topology asks for. */
export interface TopologyDifference {
  kind: 'stream' | 'consumer' | 'bucket';
  name: string;
  /** "missing", or the setting that differs with both values. */
  problem: string;
}

/** Creates what is missing and updates what differs. Running it twice changes nothing. */
export async function applyTopology(
  nats: Nats,
  topology: Topology,
  replicas: number,
): Promise<TopologyDifference[]> {
  const differences = await diffTopology(nats, topology);
  const jsm = await manager(nats);
  const changed = new Set(differences.map(({ kind, name }) => `${kind} ${name}`));
  for (const stream of topology.streams) {
    if (changed.has(`stream ${stream.name}`)) await ensureStream(jsm, stream, replicas);
  }
  for (const bucket of topology.buckets) {
    if (changed.has(`bucket ${bucket.name}`)) await ensureBucket(nats, jsm, bucket, replicas);
  }
  for (const consumer of topology.consumers) {
    if (changed.has(`consumer ${consumer.name}`)) await ensureConsumer(jsm, consumer);
  }
  return differences;
}

/** What is missing or differs. Reads only; needs no more than the INFO permissions. */
export async function diffTopology(nats: Nats, topology: Topology): Promise<TopologyDifference[]> {
  const jsm = await manager(nats);
  const checks = [
    ...topology.streams.map((stream) => diffStream(jsm, stream)),
    ...topology.buckets.map((bucket) => diffBucket(jsm, bucket)),
    ...topology.consumers.map((consumer) => diffConsumer(jsm, consumer)),
  ];
  return (await Promise.all(checks)).flat();
}

/** The names of what a service uses. */
interface TopologyPart {
  streams: readonly string[];
  consumers: readonly string[];
  buckets: readonly string[];
}

interface AwaitOptions {
  clock: Clock;
  signal: AbortSignal;
  log: Logger;
  health: { report(part: string, reason: string | undefined): void };
}

/**
 * Waits until the part of the topology that a service uses is there; not ready until then.
 * @throws the signal's reason when aborted.
 */
export async function awaitTopologyPart(
  nats: Nats,
  whole: Topology,
  used: TopologyPart,
  { clock, signal, log, health }: AwaitOptions,
): Promise<void> {
  const part: Topology = {
    streams: whole.streams.filter(({ name }) => used.streams.includes(name)),
    consumers: whole.consumers.filter(({ name }) => used.consumers.includes(name)),
    buckets: whole.buckets.filter(({ name }) => used.buckets.includes(name)),
  };
  for (let waited = 0; ; waited += 1) {
    const reason = await topologyProblem(nats, part);
    health.report('topology', reason);
    if (!reason) return;
    if (waited % 10 === 0)
      log.child({ component: 'nats' }).warn({ reason }, 'waiting for the topology');
    await clock.sleep(500, signal);
  }
}

async function topologyProblem(nats: Nats, part: Topology): Promise<string | undefined> {
  try {
    const [first] = await diffTopology(nats, part);
    return first && `${first.kind} ${first.name}: ${first.problem}; run "baton topology apply"`;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

async function manager(nats: Nats): Promise<JetStreamManager> {
  return await nats.connection.jetstreamManager({ timeout: 5_000, checkAPI: false });
}

async function diffStream(
  jsm: JetStreamManager,
  want: StreamDefinition,
): Promise<TopologyDifference[]> {
  const have = await orMissing(`read stream ${want.name}`, () => jsm.streams.info(want.name));
  if (!have) return [{ kind: 'stream', name: want.name, problem: 'missing' }];
  return differing('stream', want.name, {
    subjects: [have.config.subjects.join(), want.subjects.join()],
    max_age: [have.config.max_age, nanos(want.maxAgeMs)],
    max_bytes: [have.config.max_bytes, want.maxBytes],
    max_msg_size: [have.config.max_msg_size, want.maxMessageBytes],
    duplicate_window: [have.config.duplicate_window, nanos(want.duplicateWindowMs)],
    retention: [have.config.retention, retentionOf(want)],
  });
}

async function diffBucket(
  jsm: JetStreamManager,
  want: BucketDefinition,
): Promise<TopologyDifference[]> {
  const have = await orMissing(`read bucket ${want.name}`, () =>
    jsm.streams.info(`KV_${want.name}`),
  );
  if (!have) return [{ kind: 'bucket', name: want.name, problem: 'missing' }];
  return differing('bucket', want.name, {
    ttl: [have.config.max_age, nanos(want.ttlMs)],
    max_value_size: [have.config.max_msg_size, want.maxValueBytes],
    history: [have.config.max_msgs_per_subject, 1],
  });
}

async function diffConsumer(
  jsm: JetStreamManager,
  want: ConsumerDefinition,
): Promise<TopologyDifference[]> {
  const have = await orMissing(`read consumer ${want.name}`, () =>
    jsm.consumers.info(want.stream, want.name),
  );
  if (!have) return [{ kind: 'consumer', name: want.name, problem: 'missing' }];
  return differing('consumer', want.name, {
    filter: [have.config.filter_subject, want.filterSubject],
    ack_wait: [have.config.ack_wait, nanos(want.ackWaitMs)],
    max_ack_pending: [have.config.max_ack_pending, want.maxAckPending],
  });
}

function differing(
  kind: TopologyDifference['kind'],
  name: string,
  settings: Record<string, [unknown, unknown]>,
): TopologyDifference[] {
  return Object.entries(settings)
    .filter(([, [have, want]]) => have !== want)
    .map(([setting, [have, want]]) => ({
      kind,
      name,
      problem: `${setting} is ${String(have)}, not ${String(want)}`,
    }));
}

function retentionOf(stream: StreamDefinition): RetentionPolicy {
  return stream.retention === 'workqueue' ? RetentionPolicy.Workqueue : RetentionPolicy.Limits;
}

async function ensureStream(jsm: JetStreamManager, want: StreamDefinition, replicas: number) {
  const config = {
    subjects: want.subjects,
    max_age: nanos(want.maxAgeMs),
    max_bytes: want.maxBytes,
    max_msg_size: want.maxMessageBytes,
    duplicate_window: nanos(want.duplicateWindowMs),
    num_replicas: replicas,
  };
  const exists = await orMissing('read stream', () => jsm.streams.info(want.name));
  if (exists) await jsm.streams.update(want.name, config);
  else {
    await jsm.streams.add({
      name: want.name,
      ...config,
      retention: retentionOf(want),
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      allow_direct: true,
    });
  }
}

async function ensureBucket(
  nats: Nats,
  jsm: JetStreamManager,
  want: BucketDefinition,
  replicas: number,
) {
  const exists = await orMissing('read bucket', () => jsm.streams.info(`KV_${want.name}`));
  if (exists) {
    await jsm.streams.update(`KV_${want.name}`, {
      max_age: nanos(want.ttlMs),
      max_msg_size: want.maxValueBytes,
      // Must not be above the TTL, also when that becomes shorter.
      duplicate_window: nanos(Math.min(want.ttlMs || duplicateWindowMs, duplicateWindowMs)),
    });
    return;
  }
  await nats.connection.jetstream().views.kv(want.name, {
    ttl: want.ttlMs,
    history: 1,
    maxValueSize: want.maxValueBytes,
    replicas,
    storage: StorageType.File,
    allow_direct: true,
  });
}

async function ensureConsumer(jsm: JetStreamManager, want: ConsumerDefinition) {
  const settings = {
    filter_subject: want.filterSubject,
    ack_wait: nanos(want.ackWaitMs),
    max_ack_pending: want.maxAckPending,
  };
  const exists = await orMissing('read consumer', () => jsm.consumers.info(want.stream, want.name));
  if (exists) {
    await jsm.consumers.update(want.stream, want.name, settings);
    return;
  }
  await jsm.consumers.add(want.stream, {
    durable_name: want.name,
    ack_policy: AckPolicy.Explicit,
    ...settings,
  });
}

async function orMissing<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw natsFailure(what, error);
  }
}
