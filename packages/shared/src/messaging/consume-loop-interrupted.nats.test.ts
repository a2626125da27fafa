import { eventually } from '@baton/testkit';
import { AckPolicy, DeliverPolicy, nanos } from 'nats';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { consumers, eventSubject, streams } from '../contracts/index.ts';
import { done, type Outcome } from './outcome.ts';
import { startCommandBench, untilAborted } from './testing/command-bench.ts';

let bench: Awaited<ReturnType<typeof startCommandBench>>;
beforeAll(async () => {
  bench = await startCommandBench();
});
afterAll(() => bench.server[Symbol.asyncDispose]());
beforeEach(() => bench.clear());

describe('consumeLoop', () => {
  test('keeps a message that takes longer than its time of redelivery', async () => {
    const { jsm } = bench;
    const { name: consumer } = await jsm.consumers.add(streams.events, {
      durable_name: 'impatient',
      filter_subject: 'baton.v1.event.cli.>',
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(300),
    });
    const gate = Promise.withResolvers<Outcome>();
    const { deliveries } = bench.startLoop(() => gate.promise, {
      nats: bench.cli,
      stream: streams.events,
      consumer,
      heartbeatMs: 100,
    });
    const sent = await bench.cli.connection
      .jetstream()
      .publish(eventSubject('cli', 'linux-1', 'runner', 'slow'), '{"n":1}');
    const sentAt = performance.now();

    await eventually(() => expect(performance.now() - sentAt).toBeGreaterThan(1_000));
    gate.resolve(done());

    await eventually(async () => {
      const { ack_floor } = await jsm.consumers.info(streams.events, consumer);
      expect(ack_floor.stream_seq).toBe(sent.seq);
    });
    expect(deliveries).toEqual([{ n: 1, delivery: 1 }]);
  });

  test('does not let the next ones wait so long that they are redelivered', async () => {
    const { name: consumer } = await bench.jsm.consumers.add(streams.events, {
      durable_name: 'queueing',
      filter_subject: 'baton.v1.event.cli.>',
      deliver_policy: DeliverPolicy.New,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(300),
    });
    const gates = [0, 1, 2, 3, 4, 5].map(() => Promise.withResolvers<Outcome>());
    const { deliveries } = bench.startLoop(({ n }) => gates[n]?.promise ?? done(), {
      nats: bench.cli,
      stream: streams.events,
      consumer,
      concurrency: 2,
      heartbeatMs: 100,
    });
    const js = bench.cli.connection.jetstream();
    const sentAt = performance.now();
    for (const n of gates.keys()) {
      await js.publish(eventSubject('cli', 'linux-1', 'runner', 'queued'), JSON.stringify({ n }));
    }

    await eventually(() => expect(performance.now() - sentAt).toBeGreaterThan(1_000));
    for (const gate of gates) gate.resolve(done());

    await eventually(() => expect(deliveries).toHaveLength(gates.length));
    expect(deliveries).toEqual([...gates.keys()].map((n) => ({ n, delivery: 1 })));
  });

  test('goes on when the server was killed and started again', async () => {
    const { deliveries } = bench.startLoop(() => done());
    await bench.send(1);
    await eventually(() => expect(deliveries).toHaveLength(1));

    await bench.server.restart();
    await bench.send(2);

    await eventually(() => expect(deliveries.map(({ n }) => n)).toContain(2), {
      timeoutMs: 10_000,
    });
    await eventually(async () => expect(await bench.left()).toEqual([]));
  });

  test('goes on when its consumer was deleted and made again', async () => {
    const { jsm } = bench;
    const { config } = await jsm.consumers.info(streams.commands, consumers.createCommands);
    const { deliveries } = bench.startLoop(() => done());
    await bench.send(1);
    await eventually(() => expect(deliveries).toHaveLength(1));
    // The acknowledgement has arrived: otherwise the new consumer delivers it again, rightly.
    await eventually(async () => expect(await bench.left()).toEqual([]));

    await jsm.consumers.delete(streams.commands, consumers.createCommands);
    await jsm.consumers.add(streams.commands, config);
    await bench.send(2);

    await eventually(() => expect(deliveries.map(({ n }) => n)).toEqual([1, 2]), {
      timeoutMs: 15_000,
    });
  });

  test('when stopped it takes nothing new and finishes what is in flight', async () => {
    const gate = Promise.withResolvers<Outcome>();
    const { stop, running, deliveries } = bench.startLoop(() => gate.promise);
    let ended = false;
    void running.then(() => {
      ended = true;
    });
    await bench.send(1);
    await eventually(() => expect(deliveries).toHaveLength(1));

    stop.abort();
    await bench.send(2);
    const endedBefore = ended;
    gate.resolve(done());
    await running;

    expect(endedBefore).toBe(false);
    expect(deliveries).toEqual([{ n: 1, delivery: 1 }]);
    await eventually(async () => expect(await bench.left()).toEqual([{ n: 2 }]));
  });

  test('a handler that is cut short leaves its message for another', async () => {
    const { stop, abort, running, deliveries } = bench.startLoop((_delivery, signal) =>
      untilAborted(signal),
    );
    await bench.send(1);
    await eventually(async () => {
      const info = await bench.jsm.consumers.info(streams.commands, consumers.createCommands);
      expect(info.num_ack_pending).toBe(1);
    });

    stop.abort();
    abort.abort();
    await running;
    const next = bench.startLoop(() => done());

    await eventually(() => expect(next.deliveries).toEqual([{ n: 1, delivery: 2 }]));
    expect(deliveries).toEqual([{ n: 1, delivery: 1 }]);
  });
});
