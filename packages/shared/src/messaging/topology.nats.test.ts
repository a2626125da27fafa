import { captureLog, eventually, startTestNats, type TestNats } from '@baton/testkit';
import { type JetStreamManager, nanos } from 'nats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buckets, consumers, streams, topology } from '../contracts/index.ts';
import { Health } from '../lifecycle/index.ts';
import { systemClock } from '../time/index.ts';
import type { Nats } from './connect.ts';
import { applyTopology, awaitTopologyPart, diffTopology } from './topology.ts';

const whole = topology({ leaseTtlMs: 10_000 });
const count = whole.streams.length + whole.consumers.length + whole.buckets.length;

let server: TestNats;
let cli: Nats;
beforeEach(async () => {
  server = await startTestNats({ withTopology: false });
  cli = await server.connect('admin');
});
afterEach(() => server[Symbol.asyncDispose]());

describe('applyTopology', () => {
  test('makes what is missing, and the second time nothing', async () => {
    const first = await applyTopology(cli, whole, 1);
    const second = await applyTopology(cli, whole, 1);

    expect(first.map(({ problem }) => problem)).toEqual(Array(count).fill('missing'));
    expect(second).toEqual([]);
  });

  test('makes leases that end, in a bucket that keeps one revision', async () => {
    await applyTopology(cli, whole, 1);

    const jsm = await cli.connection.jetstreamManager();
    const { config } = await jsm.streams.info(`KV_${buckets.leases}`);

    expect(config).toMatchObject({
      max_age: nanos(10_000),
      max_msgs_per_subject: 1,
      allow_direct: true,
      storage: 'file',
    });
  });

  test('loses nothing that is stored when it changes a bucket or a stream', async () => {
    await applyTopology(cli, whole, 1);
    const kv = await cli.connection.jetstream().views.kv(buckets.leases);
    await kv.put('a', 'held');

    const changed = await applyTopology(cli, topology({ leaseTtlMs: 30_000 }), 1);

    expect(changed.map(({ name }) => name)).toEqual([buckets.leases, buckets.members]);
    expect((await kv.get('a'))?.string()).toBe('held');
  });

  test.each<[string, (jsm: JetStreamManager) => Promise<unknown>, string]>([
    [
      'the age of a stream',
      (jsm) => jsm.streams.update(streams.events, { max_age: nanos(600_000) }),
      streams.events,
    ],
    [
      'the largest message of a stream',
      (jsm) => jsm.streams.update(streams.events, { max_msg_size: 100 }),
      streams.events,
    ],
    [
      'how long a stream remembers ids',
      (jsm) => jsm.streams.update(streams.events, { duplicate_window: nanos(1_000) }),
      streams.events,
    ],
    [
      'the TTL of a bucket',
      (jsm) => jsm.streams.update(`KV_${buckets.leases}`, { max_age: 0 }),
      buckets.leases,
    ],
    [
      'the largest value of a bucket',
      (jsm) => jsm.streams.update(`KV_${buckets.specs}`, { max_msg_size: 9 }),
      buckets.specs,
    ],
    [
      'the filter of a consumer',
      (jsm) =>
        jsm.consumers.update(streams.events, consumers.provisionerEvents, {
          filter_subject: 'baton.v1.event.cli.>',
        }),
      consumers.provisionerEvents,
    ],
    [
      'the redelivery of a consumer',
      (jsm) => jsm.consumers.update(streams.commands, consumers.createCommands, { ack_wait: 1e9 }),
      consumers.createCommands,
    ],
    [
      'a consumer that was deleted',
      (jsm) => jsm.consumers.delete(streams.commands, consumers.createCommands),
      consumers.createCommands,
    ],
    ['a bucket that was deleted', (jsm) => jsm.streams.delete('KV_baton-plans'), buckets.plans],
  ])('finds and mends %s', async (_what, change, name) => {
    await applyTopology(cli, whole, 1);
    await change(await cli.connection.jetstreamManager());

    const found = await applyTopology(cli, whole, 1);

    expect(found).toMatchObject([{ name }]);
    expect(await diffTopology(cli, whole)).toEqual([]);
  });

  test.each([
    [300_000, 10_000],
    [10_000, 300_000],
  ])('changes the life of leases from %i ms to %i ms', async (before, after) => {
    await applyTopology(cli, topology({ leaseTtlMs: before }), 1);

    await applyTopology(cli, topology({ leaseTtlMs: after }), 1);

    expect(await diffTopology(cli, topology({ leaseTtlMs: after }))).toEqual([]);
  });

  test('says both values of what differs', async () => {
    await applyTopology(cli, whole, 1);

    const differences = await diffTopology(cli, topology({ leaseTtlMs: 20_000 }));

    expect(differences[0]).toEqual({
      kind: 'bucket',
      name: buckets.leases,
      problem: 'ttl is 10000000000, not 20000000000',
    });
  });
});

describe('awaitTopologyPart', () => {
  const used = { streams: [streams.events], consumers: [], buckets: [buckets.leases] };

  test('waits, not ready, until the part is there, and then goes on', async () => {
    const listener = await server.connect('listener');
    const health = new Health();
    const { log, lines } = captureLog();
    const { signal } = new AbortController();
    let passed = false;

    const waiting = awaitTopologyPart(listener, whole, used, {
      clock: systemClock,
      signal,
      log,
      health,
    }).then(() => {
      passed = true;
    });
    await eventually(() => expect(lines).toHaveLength(1));
    const reasons = health.notReady;
    const passedBefore = passed;
    await applyTopology(cli, whole, 1);
    await waiting;

    expect(reasons).toEqual({
      topology: `stream ${streams.events}: missing; run "baton topology apply"`,
    });
    expect(passedBefore).toBe(false);
    expect(health.notReady).toEqual({});
  });

  test('does not mind what is missing of the parts of others', async () => {
    const part = { ...whole, consumers: [], buckets: whole.buckets.slice(0, 2) };
    await applyTopology(cli, part, 1);
    const listener = await server.connect('listener');
    const { log, lines } = captureLog();

    await awaitTopologyPart(listener, whole, used, {
      clock: systemClock,
      signal: new AbortController().signal,
      log,
      health: new Health(),
    });

    expect(lines).toEqual([]);
  });

  test('stops waiting when it is called off', async () => {
    const listener = await server.connect('listener');
    const caller = new AbortController();
    const reason = new Error('never mind');
    const { log, lines } = captureLog();

    const waiting = awaitTopologyPart(listener, whole, used, {
      clock: systemClock,
      signal: caller.signal,
      log,
      health: new Health(),
    });
    await eventually(() => expect(lines).toHaveLength(1));
    caller.abort(reason);

    await expect(waiting).rejects.toBe(reason);
  });
});
