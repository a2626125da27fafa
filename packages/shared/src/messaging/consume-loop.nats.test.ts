import { eventually } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { done, type Outcome, reject, retryLater } from './outcome.ts';
import { startCommandBench, subject, untilAborted } from './testing/command-bench.ts';

let bench: Awaited<ReturnType<typeof startCommandBench>>;
beforeAll(async () => {
  bench = await startCommandBench();
});
afterAll(() => bench.server[Symbol.asyncDispose]());
beforeEach(() => bench.clear());

describe('consumeLoop', () => {
  test('acknowledges what its handler has done', async () => {
    const { deliveries } = bench.startLoop(() => done());

    await bench.send(1, 2, 3);

    await eventually(async () => expect(await bench.left()).toEqual([]));
    expect(deliveries).toEqual([1, 2, 3].map((n) => ({ n, delivery: 1 })));
  });

  test('keeps a message until its handler is through with it', async () => {
    const gate = Promise.withResolvers<Outcome>();
    const { deliveries } = bench.startLoop(() => gate.promise);
    await bench.send(1);
    await eventually(() => expect(deliveries).toHaveLength(1));

    const before = await bench.left();
    gate.resolve(done());

    expect(before).toEqual([{ n: 1 }]);
    await eventually(async () => expect(await bench.left()).toEqual([]));
  });

  test('redelivers what its handler asks for again', async () => {
    const { deliveries } = bench.startLoop(({ delivery }) =>
      delivery < 3 ? retryLater(10, 'not yet') : done(),
    );

    await bench.send(1);

    await eventually(async () => expect(await bench.left()).toEqual([]));
    expect(deliveries.map(({ delivery }) => delivery)).toEqual([1, 2, 3]);
  });

  test('redelivers after the handler throws', async () => {
    const { deliveries, messages } = bench.startLoop(({ delivery }) => {
      if (delivery === 1) throw new Error('broken');
      return done();
    });

    await bench.send(1);

    await eventually(async () => expect(await bench.left()).toEqual([]));
    expect(deliveries.map(({ delivery }) => delivery)).toEqual([1, 2]);
    expect(messages).toEqual(['message failed, it comes again']);
  });

  test('what its handler rejects becomes a dead letter, whole', async () => {
    bench.startLoop(() => reject('it makes no sense'));

    await bench.publisher.publish(subject, { n: 1, note: 'kept' });

    await eventually(async () => expect(await bench.left()).toEqual([]));
    expect(await bench.dead()).toEqual([
      {
        v: 1,
        service: 'provisioner',
        kind: 'message',
        reason: 'it makes no sense',
        subject,
        body: '{"n":1,"note":"kept"}',
        at: expect.stringContaining('T') as string,
      },
    ]);
  });

  test('what does not match the schema, or is no JSON, becomes a dead letter unseen', async () => {
    const { deliveries } = bench.startLoop(() => done());

    await bench.publisher.publish(subject, { n: 'one' });
    await bench.sendText('{"n":');

    await eventually(async () => expect(await bench.left()).toEqual([]));
    expect(await bench.dead()).toMatchObject([{ body: '{"n":"one"}' }, { body: '{"n":' }]);
    expect(deliveries).toEqual([]);
  });

  test('what fails again and again becomes a dead letter with the reason', async () => {
    const { deliveries } = bench.startLoop(() => Promise.reject(new Error('broken')), {
      maxDeliveries: 2,
    });

    await bench.send(1);

    await eventually(async () => expect(await bench.left()).toEqual([]));
    expect(deliveries).toHaveLength(2);
    expect(await bench.dead()).toMatchObject([{ reason: 'gave up after 2 deliveries: broken' }]);
  });

  test('one that cannot be handled holds up no other', async () => {
    const { deliveries } = bench.startLoop(({ n }, signal) =>
      n === 1 ? untilAborted(signal) : done(),
    );

    await bench.send(1, 2, 3);

    await eventually(async () => expect(await bench.left()).toEqual([{ n: 1 }]));
    expect(deliveries).toHaveLength(3);
  });

  test('handles no more at once than it may', async () => {
    let running = 0;
    let most = 0;
    bench.startLoop(
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return done();
      },
      { concurrency: 2 },
    );

    await bench.send(...Array.from({ length: 20 }, (_, n) => n));

    await eventually(async () => expect(await bench.left()).toEqual([]));
    expect(most).toBe(2);
  });

  test('hands the trace on', async () => {
    const seen: unknown[] = [];
    bench.startLoop(() => done(), {
      handle: (_message, context) => {
        seen.push(context);
        return Promise.resolve(done());
      },
    });

    await bench.publisher.publish(
      subject,
      { n: 1 },
      { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
    );

    await eventually(() =>
      expect(seen).toMatchObject([
        {
          subject,
          delivery: 1,
          traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
        },
      ]),
    );
  });
});
