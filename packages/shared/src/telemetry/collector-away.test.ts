import { eventually, freePort, startOtlpReceiver } from '@baton/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { inSpan } from './spans.ts';
import { received, trace } from './testing/traced.ts';

const unhandled: unknown[] = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));

const quick = { OTEL_EXPORTER_OTLP_TIMEOUT: '1000', OTEL_BSP_EXPORT_TIMEOUT: '2000' };
const patient = { timeoutMs: 20_000 };
const times = { timeout: 60_000 };

async function setUp(receiver: { url: string }, env: Record<string, string> = {}) {
  const traced = await trace(receiver, { ...quick, ...env });
  onTestFinished(() => traced.tracing.end(500));
  traced.tracing.ready();
  return traced;
}

const spans = async (count: number) => {
  for (let n = 0; n < count; n += 1) await inSpan('work', { parent: null }, () => undefined);
};

describe('a collector', times, () => {
  test.each(['hang', 'reset', 500, 503, 400] as const)(
    'that answers with %s loses spans, is told of once, and once again when it is back',
    async (behaviour) => {
      await using receiver = await startOtlpReceiver();
      const { outcomes, said } = await setUp(receiver);
      receiver.behave(behaviour);

      for (let batch = 1; batch <= 3; batch += 1) {
        const before = outcomes().failed;
        await spans(3);
        await eventually(() => expect(outcomes().failed).toBeGreaterThan(before), patient);
      }
      await eventually(() => expect(outcomes().failed).toBe(9), patient);
      receiver.behave('take');
      await inSpan('back', { parent: null }, () => undefined);
      await received(receiver, 'back');
      await eventually(() => expect(outcomes().exported).toBe(1), patient);

      expect(said()).toMatchObject([
        {
          level: 40,
          msg: 'spans are not taken, and lost meanwhile',
          url: `${receiver.url}/v1/traces`,
        },
        { level: 30, msg: 'spans are taken again' },
      ]);
      expect(outcomes()).toEqual({ exported: 1, failed: 9, dropped: 0 });
      expect(unhandled).toEqual([]);
    },
  );

  test('that is not there does not hold up work, nor the end for longer than it may take', async () => {
    const { tracing, outcomes, said } = await setUp({
      url: `http://127.0.0.1:${await freePort()}`,
    });
    await spans(5);
    await eventually(() => expect(outcomes().failed).toBe(5), patient);
    await spans(1);

    const start = performance.now();
    await tracing.end(300);

    expect(performance.now() - start).toBeLessThan(10_000);
    const away = said().filter(({ msg }) => msg === 'spans are not taken, and lost meanwhile');
    expect(away).toHaveLength(1);
    expect(unhandled).toEqual([]);
  });

  test('whose answer is no answer has taken them all the same', async () => {
    await using receiver = await startOtlpReceiver();
    const { outcomes, said } = await setUp(receiver);
    receiver.behave('garbage');

    await spans(2);

    await eventually(() => expect(outcomes().exported).toBe(2), patient);
    expect(said()).toEqual([]);
    expect(unhandled).toEqual([]);
  });

  test('that is slow has them all the same, and one that never comes to an end has not', async () => {
    await using receiver = await startOtlpReceiver();
    const { outcomes, said } = await setUp(receiver);
    receiver.behave('slow');
    await spans(2);
    await eventually(() => expect(outcomes().exported).toBe(2), patient);
    expect(said()).toEqual([]);

    receiver.behave('drip');
    await spans(2);

    await eventually(() => expect(outcomes().failed).toBe(2), patient);
    expect(said()).toMatchObject([{ reason: 'took longer than 2000 ms' }]);
    expect(unhandled).toEqual([]);
  });

  test('that hangs leaves a bounded number of spans waiting; the others are counted', async () => {
    await using receiver = await startOtlpReceiver();
    const slow = { OTEL_EXPORTER_OTLP_TIMEOUT: '60000', OTEL_BSP_EXPORT_TIMEOUT: '60000' };
    const bounds = { OTEL_BSP_MAX_QUEUE_SIZE: '10', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '4' };
    const { tracing, outcomes, said } = await setUp(receiver, { ...slow, ...bounds });
    receiver.behave('hang');

    await spans(4);
    await eventually(() => expect(receiver.asked).toHaveLength(1), patient);
    await spans(25);

    // Four are under way, ten wait.
    expect(outcomes()).toEqual({ exported: 0, failed: 0, dropped: 15 });
    const start = performance.now();
    await tracing.end(300);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(said()).toMatchObject([{ msg: 'the last spans may be lost' }]);
    expect(unhandled).toEqual([]);
  });
});

test('the end exports what waits', times, async () => {
  await using receiver = await startOtlpReceiver();
  const traced = await trace(receiver, { OTEL_BSP_SCHEDULE_DELAY: '60000' });
  await inSpan('early', { parent: null }, () => undefined);

  await traced.tracing.end(30_000);

  expect(receiver.spans.map(({ name }) => name)).toEqual(['early']);
  expect(traced.outcomes()).toEqual({ exported: 1, failed: 0, dropped: 0 });
  expect(traced.said()).toEqual([]);
});

test('a process that told of nothing loads nothing for its end', async () => {
  const traced = await trace({ url: 'http://127.0.0.1:1' });

  await traced.tracing.end(0);

  expect(traced.said()).toEqual([]);
});
