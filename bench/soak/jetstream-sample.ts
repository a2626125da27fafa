import { buckets, streams, topology } from '@baton/shared/contracts';
import { KvBucket, type Nats } from '@baton/shared/messaging';
import { z } from 'zod';
import { byName } from './by-name.ts';

/** What a stream holds. Of that behind a bucket a message is a key: its value, or the mark that it was deleted. */
interface StreamSample {
  messages: number;
  mb: number;
}

export interface JetStreamSample {
  streams: Record<string, StreamSample>;
  buckets: Record<string, StreamSample>;
  /** By consumer: messages that nobody was given, or that nobody has acknowledged. */
  lag: Record<string, number>;
}

const { consumers } = topology({ leaseTtlMs: 0 });
const byConsumer = consumers.map((consumer) => [consumer.name, consumer] as const);
const byStream = Object.values(streams).map((name) => [name, name] as const);
const byBucket = Object.values(buckets).map((name) => [name, `KV_${name}`] as const);

/** One request for each stream, bucket and consumer, as the user `cli`. */
export async function sampleJetStream({ connection }: Nats): Promise<JetStreamSample> {
  const jsm = await connection.jetstreamManager({ checkAPI: false });
  const sample = async (stream: string) => {
    const { messages, bytes } = (await jsm.streams.info(stream)).state;
    return { messages, mb: bytes / 1e6 };
  };
  const [inStreams, inBuckets, lag] = await Promise.all([
    byName(byStream, sample),
    byName(byBucket, sample),
    byName(byConsumer, async ({ stream, name }) => {
      const { num_pending, num_ack_pending } = await jsm.consumers.info(stream, name);
      return num_pending + num_ack_pending;
    }),
  ]);
  return { streams: inStreams, buckets: inBuckets, lag };
}

/** What the keys of a bucket hold: values, or marks that they were deleted. */
export interface KeyCount {
  values: number;
  deleted: number;
}

const anything = z.unknown();

/** Reads every key of every bucket. */
export async function countKeys(nats: Nats): Promise<Record<string, KeyCount>> {
  return await byName(byBucket, async (stream) => {
    const bucket = await KvBucket.open(nats, stream.slice('KV_'.length), anything);
    const count = { values: 0, deleted: 0 };
    for (const key of await bucket.keys()) {
      const { kind } = await bucket.lookup(key);
      if (kind === 'found') count.values += 1;
      else if (kind === 'deleted') count.deleted += 1;
    }
    return count;
  });
}
