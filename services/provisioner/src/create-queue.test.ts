import type { RunnerCommand } from '@baton/shared/contracts';
import { activeTraceparent, inTrace, silentLogger } from '@baton/shared/telemetry';
import { FakeClock, recordSpans } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { CreateQueue, type CreateResult } from './create-queue.ts';

/** A queue whose creates end when the test says so; by default there are four hands. */
class Bench {
  readonly clock = new FakeClock();
  /** What was begun, in its order, as "scale set/runner". */
  readonly begun: string[] = [];
  /** What each was begun as a part of. */
  readonly traces: (string | undefined)[] = [];
  /** Runners that wait according to their records. */
  readonly records: RunnerCommand[] = [];
  readonly searches: number[] = [];
  readonly queue: CreateQueue;
  readonly #ends = new Map<string, PromiseWithResolvers<CreateResult>>();

  constructor({ hands = 4, signal = new AbortController().signal } = {}) {
    this.queue = new CreateQueue({
      create: ({ scaleSetId, runnerId }) => {
        this.begun.push(`${scaleSetId}/${runnerId}`);
        this.traces.push(activeTraceparent());
        const end = Promise.withResolvers<CreateResult>();
        this.#ends.set(runnerId, end);
        return end.promise;
      },
      findWaiting: (_scaleSetId, _provider, count) => {
        this.searches.push(count);
        const left = this.records.filter(({ runnerId }) => !this.queue.has(runnerId));
        return Promise.resolve(left.slice(0, count));
      },
      handsOf: () => ({ total: hands, perScaleSet: Math.max(1, hands - Math.floor(hands / 4)) }),
      clock: this.clock,
      log: silentLogger(),
      signal,
    });
  }

  offer(scaleSetId: string, count: number, provider = 'vms'): RunnerCommand[] {
    const commands = Array.from({ length: count }, (_, n) => ({
      v: 1 as const,
      scaleSetId,
      runnerId: `${scaleSetId}${n}`,
      provider,
    }));
    for (const command of commands) this.queue.offer(command);
    return commands;
  }

  async end(runnerId: string, result: CreateResult = 'created'): Promise<void> {
    this.#ends.get(runnerId)?.resolve(result);
    const index = this.records.findIndex((record) => record.runnerId === runnerId);
    if (index >= 0) this.records.splice(index, 1);
    await this.clock.advance(0);
  }

  async fail(runnerId: string): Promise<void> {
    this.#ends.get(runnerId)?.reject(new Error('no connection'));
    await this.clock.advance(0);
  }
}

const ids = (commands: readonly RunnerCommand[]) => commands.map(({ runnerId }) => runnerId);

describe('CreateQueue', () => {
  test('a thousand commands of a scale set whose creates hang leave a hand to another', () => {
    const bench = new Bench();

    bench.offer('broken', 1_000);
    bench.offer('healthy', 1);

    expect(bench.begun).toEqual([
      'broken/broken0',
      'broken/broken1',
      'broken/broken2',
      'healthy/healthy0',
    ]);
  });

  test('scale sets take turns, however much each has to do', async () => {
    const bench = new Bench({ hands: 1 });
    bench.offer('a', 4);
    bench.offer('b', 2);
    bench.offer('c', 2);

    for (const runnerId of ['a0', 'a1', 'b0', 'c0', 'a2', 'b1', 'c1']) await bench.end(runnerId);

    const turns = bench.begun.map((begun) => begun[0]).join('');
    expect(turns).toBe('aabcabca');
  });

  test('providers have nothing to do with each other', () => {
    const bench = new Bench({ hands: 1 });

    bench.offer('a', 10, 'hanging');
    bench.offer('b', 1, 'working');

    expect(bench.begun).toEqual(['a/a0', 'b/b0']);
  });

  test('a scale set whose create did not succeed has one at a time, until one does', async () => {
    const bench = new Bench();
    bench.offer('a', 10);

    for (const runnerId of ['a0', 'a1', 'a2']) await bench.end(runnerId, 'held-back');
    const suspected = [...bench.begun];
    await bench.end('a3');

    expect(suspected).toEqual(['a/a0', 'a/a1', 'a/a2', 'a/a3']);
    expect(bench.begun).toHaveLength(7);
  });

  test('a command that comes again while the runner waits or is created changes nothing', async () => {
    const bench = new Bench({ hands: 1 });

    bench.offer('a', 2);
    bench.offer('a', 2);
    for (const runnerId of ['a0', 'a1']) await bench.end(runnerId);

    expect(bench.begun).toEqual(['a/a0', 'a/a1']);
    expect(bench.queue.has('a0')).toBe(false);
  });

  test('holds four times what it may run, and leaves the rest to others', () => {
    const bench = new Bench();

    const commands = bench.offer('a', 5_000);

    expect(commands.filter(({ runnerId }) => bench.queue.has(runnerId))).toHaveLength(3 + 12);
  });

  test('looks into the records for more when half of what it held is done', async () => {
    const bench = new Bench({ hands: 1 });
    bench.records.push(...bench.offer('a', 30));

    for (let n = 0; n < 30; n += 1) {
      await bench.end(bench.begun[n]?.slice(2) ?? '');
      await bench.clock.advance(500);
    }

    expect(new Set(bench.begun).size).toBe(30);
    expect(bench.begun).toHaveLength(30);
    expect(Math.max(...bench.searches)).toBeLessThanOrEqual(5);
  });

  test('does not look for more that was never too much', async () => {
    const bench = new Bench();
    bench.offer('a', 3);

    for (const runnerId of ['a0', 'a1', 'a2']) await bench.end(runnerId);

    expect(bench.searches).toEqual([]);
  });

  test('a create that throws frees its hand, and the runner may come again', async () => {
    const bench = new Bench({ hands: 1 });
    bench.offer('a', 1);

    await bench.fail('a0');
    bench.offer('a', 1);

    expect(bench.begun).toEqual(['a/a0', 'a/a0']);
  });

  test('stops with what runs, and gives back what waits', async () => {
    const bench = new Bench();
    bench.offer('a', 5);
    let idle = false;

    const left = bench.queue.stop();
    bench.offer('b', 1);
    const ended = bench.queue.idle().then(() => {
      idle = true;
    });
    await bench.end('a0');
    await bench.end('a1');
    const early = idle;
    await bench.end('a2');
    await ended;

    expect(ids(left)).toEqual(['a3', 'a4']);
    expect(bench.begun).toHaveLength(3);
    expect(early).toBe(false);
  });

  test('one that begins because another has ended has no part in its trace', async () => {
    using _spans = recordSpans();
    const bench = new Bench({ hands: 1 });
    const [first, own] = ['1', '2'].map((id) => `00-${id.repeat(32)}-${id.repeat(16)}-01`);
    const command = { v: 1 as const, scaleSetId: 'a', provider: 'vms' };

    inTrace(first, () => {
      bench.queue.offer({ ...command, runnerId: 'a0', traceparent: first });
      bench.queue.offer({ ...command, runnerId: 'a1', traceparent: own });
      bench.queue.offer({ ...command, runnerId: 'a2' });
    });
    for (const runnerId of ['a0', 'a1']) await bench.end(runnerId);

    expect(bench.traces).toEqual([first, own, undefined]);
  });
});
