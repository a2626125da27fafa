import { startTestNats, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventSubject } from '../contracts/index.ts';
import { silentLogger } from '../telemetry/index.ts';
import type { Nats } from './connect.ts';
import { EventLog, type StoredEvent } from './event-log.ts';
import { Publisher } from './publisher.ts';

const many = 6_000;
const scaleSets = 10;
const subject = (scaleSet: string) => eventSubject('provisioner', scaleSet, 'runner', 'requested');

let server: TestNats;
let publisher: Publisher;
let cli: Nats;
let log: EventLog;

beforeAll(async () => {
  server = await startTestNats();
  publisher = new Publisher(await server.connect('provisioner'), silentLogger());
  cli = await server.connect('cli');
  log = await EventLog.open(cli);
  const numbers = Array.from({ length: many }, (_, index) => index + 1);
  for (let start = 0; start < many; start += 500) {
    const batch = numbers.slice(start, start + 500);
    await Promise.all(
      batch.map((n) => publisher.publishOnce(subject(`set-${n % scaleSets}`), { n })),
    );
  }
});
afterAll(() => server[Symbol.asyncDispose]());

const isOf =
  (scaleSet: string) =>
  ({ subject: found }: StoredEvent) =>
    found === subject(scaleSet);

/** What it gave, and how many requests it took. */
async function counted<T>(work: () => Promise<T>): Promise<{ result: T; requests: number }> {
  const before = cli.connection.stats().outMsgs;
  const result = await work();
  return { result, requests: cli.connection.stats().outMsgs - before };
}

async function whole(subjects: readonly string[]): Promise<StoredEvent[]> {
  const range = await log.range();
  const found: StoredEvent[] = [];
  for await (const events of log.from({ subjects, range })) found.push(...events);
  return found;
}

describe('EventLog', () => {
  test('reads each event of a subject once, in order, and asks about no other', async () => {
    const { result, requests } = await counted(() => whole([subject('set-3')]));

    expect(result).toHaveLength(many / scaleSets);
    expect(result.every(isOf('set-3'))).toBe(true);
    const sequences = result.map(({ sequence }) => sequence);
    expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
    // One for each, and a few for each window that is looked through.
    expect(requests).toBeLessThan(many / scaleSets + 200);
  });

  test('reads events of several subjects, in the order of the stream', async () => {
    const found = await whole([subject('set-3'), subject('set-4')]);

    expect(found).toHaveLength((2 * many) / scaleSets);
    const sequences = found.map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
  });

  test('finds the newest from the end, with few requests', async () => {
    const range = await log.range();
    const lookFor = { subjects: ['baton.v1.event.>'], range };

    const { result, requests } = await counted(() => log.newest(lookFor, 3, isOf('set-7')));

    expect(result).toHaveLength(3);
    const all = await whole([subject('set-7')]);
    expect(result).toEqual(all.slice(-3));
    expect(requests).toBeLessThan(1_200);
  });

  test('says how much is left, and gives what there is of less than was asked for', async () => {
    const left: number[] = [];
    const range = await log.range();
    const search = { subjects: [subject('no-such-set')], range };

    expect(await log.newest({ ...search, onProgress: (n) => left.push(n) }, 3)).toEqual([]);

    expect(left[0]).toBe(many);
    expect(left).toEqual(left.toSorted((a, b) => b - a));
  });

  test('finds where a time begins, with few requests', async () => {
    await publisher.publishOnce(subject('late'), { n: 0 }, { traceparent: '00-1-2-01' });
    const [late] = await whole([subject('late')]);

    const { result, requests } = await counted(() => log.range(late?.storedAt));
    const none = await log.range(new Date((late?.storedAt.getTime() ?? 0) + 1_000));

    const found = await log.newest({ subjects: ['baton.v1.event.>'], range: result }, many);
    expect(found.at(-1)).toMatchObject({ text: '{"n":0}', traceparent: '00-1-2-01' });
    expect(found.length).toBeLessThan(500);
    expect(none.first).toBe(none.last + 1);
    expect(requests).toBeLessThan(20);
  });

  test('an empty stream has nothing', async () => {
    await using empty = await startTestNats();
    const ofEmpty = await EventLog.open(await empty.connect('cli'));

    const range = await ofEmpty.range(new Date());

    expect(await ofEmpty.newest({ subjects: ['baton.v1.event.>'], range }, 5)).toEqual([]);
  });
});
