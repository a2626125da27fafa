import { eventually, seedsOf, startTestNats, type TestNats } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { buckets, topology } from '../contracts/index.ts';
import { KvBucket } from './kv-bucket.ts';
import { KvCopy } from './kv-copy.ts';
import { applyTopology } from './topology.ts';

const schema = z.looseObject({ n: z.int() });
type TestBucket = KvBucket<typeof schema>;
type Random = () => number;

const rounds = 25;
const writesOfARound = 120;
const keys = Array.from({ length: 40 }, (_, n) => `set-${n % 5}.runner-${n}`);

/** A process with a copy of its own, which also writes. */
async function startProcess(server: TestNats, user: 'janitor' | 'provisioner') {
  const nats = await server.connect(user);
  const bucket = await KvBucket.open(nats, buckets.runners, schema);
  return { bucket, copy: new KvCopy(bucket, nats, { deletedKeptMs: 120_000 }) };
}

/** One write as any service may make it: created, changed, deleted, forgotten; or it loses. */
async function write(bucket: TestBucket, random: Random): Promise<void> {
  const key = keys[Math.floor(random() * keys.length)] ?? '';
  const n = Math.floor(random() * 1_000_000);
  const found = await bucket.lookup(key);
  if (found.kind !== 'found') {
    if (found.kind === 'deleted' && random() < 0.3) await bucket.create(key, { n });
    else await bucket.createFirst(key, { n });
  } else if (random() < 0.3) await bucket.delete(key, found.revision);
  else await bucket.update(key, { n }, found.revision);
}

/** A burst of writes by both; those that NATS cannot take meanwhile are lost. */
async function writeMuch(writers: readonly TestBucket[], random: Random): Promise<void> {
  const work = Array.from({ length: writesOfARound }, async (_, index) => {
    const bucket = writers[index % writers.length];
    if (bucket) await write(bucket, random).catch(() => undefined);
  });
  await Promise.all(work);
}

async function truth(bucket: TestBucket): Promise<[string, number, number][]> {
  return sorted(await bucket.list());
}

function sorted(
  entries: readonly { key: string; value: { n: number }; revision: number }[],
): [string, number, number][] {
  return entries
    .map(({ key, value, revision }): [string, number, number] => [key, value.n, revision])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What is done to the log behind the copies. */
async function strike(server: TestNats, copies: readonly KvCopy<typeof schema>[], random: Random) {
  const what = random();
  if (what < 0.2) await server.restart();
  else if (what < 0.3) {
    const admin = await server.connect('admin');
    const jsm = await admin.connection.jetstreamManager();
    await jsm.streams.delete(`KV_${buckets.runners}`);
    await applyTopology(await server.connect('cli'), topology({ leaseTtlMs: 10_000 }), 1);
  } else if (what < 0.4) {
    const admin = await server.connect('admin');
    const jsm = await admin.connection.jetstreamManager();
    await jsm.streams.purge(`KV_${buckets.runners}`);
  } else if (what < 0.7) {
    // What is forgotten has been remembered for as long as a copy needs to see it.
    for (const copy of copies) await eventually(() => copy.sync());
    await copies[0]?.forgetDeleted(new Date());
  }
}

function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('KvCopy under random writes', () => {
  test.each(seedsOf('BATON_COPY_SEEDS', '1-2'))(
    'equals a full list after every sync, while nats-server is killed and the stream wiped (seed %i)',
    { timeout: 120_000 },
    async (seed) => {
      const random = randomFrom(seed);
      await using server = await startTestNats();
      const processes = [
        await startProcess(server, 'janitor'),
        await startProcess(server, 'provisioner'),
      ];
      const writers = processes.map(({ bucket }) => bucket);
      const copies = processes.map(({ copy }) => copy);
      const looker = await KvBucket.open(await server.connect('admin'), buckets.runners, schema);

      for (let round = 0; round < rounds; round += 1) {
        const writing = writeMuch(writers, random);
        // Syncs in the middle of writes find something or other; then they must not go wrong later.
        await Promise.all(copies.map((copy) => copy.sync().catch(() => undefined)));
        await writing;
        await strike(server, copies, random);
        if (random() < 0.5) await writeMuch(writers, random);

        const expected = await eventually(() => truth(looker), { timeoutMs: 15_000 });
        for (const copy of copies) {
          await eventually(() => copy.sync(), { timeoutMs: 15_000 });
          expect(sorted(copy.all())).toEqual(expected);
          const found = keys.map((key) => copy.lookup(key).kind === 'found');
          expect(found).toEqual(keys.map((key) => expected.some(([known]) => known === key)));
        }
      }
    },
  );
});
