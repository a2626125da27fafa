import { captureLog, eventually, recordSpans, storedMessages } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { replaySubject, streams } from '../contracts/index.ts';
import { activeTraceparent, attributes, inSpan, Metrics, mintSpan } from '../telemetry/index.ts';
import { replayLoop } from './dead-letters-replay.ts';
import { done, reject, retryLater } from './outcome.ts';
import { Publisher } from './publisher.ts';
import { startCommandBench, subject } from './testing/command-bench.ts';

let bench: Awaited<ReturnType<typeof startCommandBench>>;
beforeAll(async () => {
  bench = await startCommandBench();
});
afterAll(() => bench.server[Symbol.asyncDispose]());
beforeEach(() => bench.clear());

const runner = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

/** What the commands that lie there carry. */
async function carried(): Promise<(string | undefined)[]> {
  const stored = await storedMessages(bench.cli, streams.commands);
  return stored.map(({ traceparent }) => traceparent);
}

/** All commands were handled, and their spans told. */
async function allHandled(): Promise<void> {
  await eventually(async () => expect(await bench.left()).toEqual([]));
}

describe('a message that is published', () => {
  test('carries the active span, and is a child of it', async () => {
    using spans = recordSpans();

    const traceparent = await inSpan('plan', { parent: null }, async (span) => {
      await bench.publisher.publish(subject, { n: 1 }, { messageId: 'active-1' });
      return span.traceparent;
    });

    expect(await carried()).toEqual([traceparent]);
    expect(spans.the('publish create')).toMatchObject({
      kind: 'producer',
      parent: traceparent,
      attributes: {
        [attributes.messagingSystem]: 'nats',
        [attributes.messagingOperationType]: 'send',
        [attributes.destination]: subject,
        [attributes.destinationTemplate]: 'baton.v1.command.create.*',
        [attributes.messageId]: 'active-1',
      },
    });
  });

  test('carries what it is told to, of whatever trace its publisher is part', async () => {
    using spans = recordSpans();

    await inSpan('plan', { parent: null }, () =>
      bench.publisher.publishOnce(subject, { n: 1 }, { traceparent: runner }),
    );

    expect(await carried()).toEqual([runner]);
    expect(spans.the('publish create').parent).toBe(runner);
  });

  test('carries what it is told to, from a span of the same trace', async () => {
    using spans = recordSpans();

    await inSpan('create runner', { parent: runner }, () =>
      bench.publisher.publish(subject, { n: 1 }, { traceparent: runner }),
    );

    expect(await carried()).toEqual([runner]);
    const { traceparent } = spans.the('create runner');
    expect(spans.the('publish create').parent).toBe(traceparent);
  });

  test('carries nothing and is no span where nothing led to it', async () => {
    using spans = recordSpans();

    await bench.publisher.publish(subject, { n: 1 });

    expect(await carried()).toEqual([undefined]);
    expect(spans.told).toEqual([]);
  });

  test('carries the trace of others where no traces are made', async () => {
    await bench.publisher.publish(subject, { n: 1 }, { traceparent: mintSpan(runner) });

    expect(await carried()).toEqual([runner]);
  });

  test('is a span that failed when NATS refuses it', async () => {
    using spans = recordSpans();
    const large = 'x'.repeat(2 ** 20);

    const publishing = bench.publisher.publish(subject, large, { traceparent: runner });

    await expect(publishing).rejects.toMatchObject({ code: 'nats' });
    expect(spans.the('publish create').error).toMatchObject({ code: 'nats' });
  });
});

describe('a message that is handled', () => {
  test('is a child of what it carries, not of the span that published it; its handler runs within', async () => {
    using spans = recordSpans();
    const seen: (string | undefined)[] = [];

    await bench.publisher.publish(subject, { n: 1 }, { traceparent: runner });
    bench.startLoop(async () => {
      await Promise.resolve();
      seen.push(activeTraceparent());
      return done();
    });
    await allHandled();

    await eventually(() => expect(spans.named('process create')).toHaveLength(1));
    const handled = spans.the('process create');
    expect(handled).toMatchObject({
      kind: 'consumer',
      parent: runner,
      error: undefined,
      attributes: {
        [attributes.consumer]: 'create-commands',
        [attributes.delivery]: 1,
        [attributes.outcome]: 'done',
      },
    });
    expect(seen).toEqual([handled.traceparent]);
  });

  test('begins a trace of its own when it carries nothing', async () => {
    using spans = recordSpans();

    await bench.send(1);
    bench.startLoop(() => done());
    await allHandled();

    await eventually(() => expect(spans.the('process create').parent).toBeUndefined());
  });

  test('has a span for each delivery, and one that failed for what is given up', async () => {
    using spans = recordSpans();

    await bench.publisher.publish(subject, { n: 1 }, { traceparent: runner });
    bench.startLoop(({ delivery }) => {
      if (delivery === 1) throw new Error('broken');
      return delivery === 2 ? retryLater(1, 'not yet') : reject('no');
    });
    await allHandled();

    await eventually(() => expect(spans.named('process create')).toHaveLength(3));
    expect(spans.named('process create')).toMatchObject([
      {
        parent: runner,
        attributes: { [attributes.outcome]: 'retry' },
        error: { message: 'broken' },
      },
      { parent: runner, attributes: { [attributes.outcome]: 'retry' }, error: undefined },
      {
        parent: runner,
        attributes: { [attributes.outcome]: 'reject', [attributes.delivery]: 3 },
        error: { message: 'no' },
      },
    ]);
  });

  test('and becomes a dead letter goes on with its trace when it is replayed', async () => {
    using spans = recordSpans();
    const provisioner = await bench.server.connect('provisioner');
    await bench.publisher.publish(subject, { n: 1 }, { traceparent: runner });
    bench.startLoop(() => reject('not understood yet'));
    await allHandled();
    const [letter] = await storedMessages(bench.cli, streams.dead);
    const stop = new AbortController();
    const { publisher } = bench;
    const { log } = captureLog();
    const handle = () => Promise.resolve(done());
    const options = { nats: provisioner, publisher, log, service: 'provisioner' as const, handle };
    const looping = replayLoop(options, stop.signal, stop.signal);

    await inSpan('baton dead replay', { parent: null }, () =>
      new Publisher(bench.cli, log).publish(replaySubject('provisioner'), {
        v: 1,
        sequences: [letter?.sequence],
      }),
    );
    await eventually(async () => expect(await bench.dead()).toEqual([]));
    stop.abort();
    await looping;

    expect(letter?.traceparent).toBe(runner);
    const replay = spans.the('process replay');
    expect(replay.parent).toBe(spans.the('baton dead replay').traceparent);
    expect(spans.named('process create')).toMatchObject([
      { parent: runner, error: { message: 'not understood yet' } },
      {
        parent: runner,
        links: [replay.traceparent],
        attributes: { [attributes.messagingOperation]: 'replay' },
      },
    ]);
  });
});

describe('the metrics of messages', () => {
  test('count every delivery by what became of it, and how long it took', async () => {
    const metrics = new Metrics();
    const nats = await bench.server.connect('provisioner', { metrics });
    bench.startLoop(
      ({ n, delivery }) => {
        if (n === 1) return done();
        return delivery === 1 ? retryLater(1, 'not yet') : reject('no');
      },
      { nats },
    );

    await bench.send(1, 2);
    await allHandled();

    const consumer = 'create-commands';
    await eventually(() =>
      expect(valuesOf(metrics, 'baton_messages_handled_total')).toEqual({
        [`${consumer} done`]: 1,
        [`${consumer} retry`]: 1,
        [`${consumer} reject`]: 1,
      }),
    );
    const seconds = metrics.sources.find(({ name }) => name === 'baton_message_handling_seconds');
    const [took] = seconds?.kind === 'histogram' ? [...seconds.read()] : [];
    expect(took?.labels).toEqual({ consumer });
    expect(took?.counts.reduce((sum, count) => sum + count)).toBe(3);
  });

  test('tell whether NATS is connected, and how often it came back', async () => {
    const metrics = new Metrics();
    await bench.server.connect('provisioner', { metrics });
    const told = () => [
      valuesOf(metrics, 'baton_nats_connected'),
      valuesOf(metrics, 'baton_nats_reconnects_total'),
    ];
    expect(told()).toEqual([{ '': 1 }, { '': 0 }]);

    await bench.server.kill();
    await eventually(() => expect(told()).toEqual([{ '': 0 }, { '': 0 }]));
    await bench.server.startAgain();

    await eventually(() => expect(told()).toEqual([{ '': 1 }, { '': 1 }]), { timeoutMs: 10_000 });
  });
});

/** The values of a metric by its labels. */
function valuesOf(metrics: Metrics, name: string): Record<string, number> {
  const source = metrics.sources.find((one) => one.name === name);
  if (!source || source.kind === 'histogram') return {};
  const entries = [...source.read()].map(
    ({ value, labels }) => [Object.values(labels).join(' '), value] as const,
  );
  return Object.fromEntries(entries);
}
