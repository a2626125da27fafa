import type { RunnerCommand } from '@baton/shared/contracts';
import { activeTraceparent, inTrace, silentLogger } from '@baton/shared/telemetry';
import { FakeClock, recordSpans } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { DeleteQueue } from './delete-queue.ts';

/** A queue whose steps end when the test says so; each lane has two hands. */
class Bench {
  readonly clock = new FakeClock();
  /** What was begun, in its order, as "lane/runner". */
  readonly begun: string[] = [];
  /** What each was begun as a part of. */
  readonly traces: (string | undefined)[] = [];
  readonly left: string[] = [];
  /** Runners that are due according to their records. */
  readonly records: string[] = [];
  readonly searches: number[] = [];
  readonly queue: DeleteQueue;
  readonly #ends = new Map<string, PromiseWithResolvers<string | undefined>>();

  constructor() {
    this.queue = new DeleteQueue({
      advance: ({ runnerId }, lane) => {
        this.begun.push(`${lane}/${runnerId}`);
        this.traces.push(activeTraceparent());
        const end = Promise.withResolvers<string | undefined>();
        this.#ends.set(runnerId, end);
        return end.promise;
      },
      findDue: (_lane, count) => {
        this.searches.push(count);
        const due = this.records.filter((runnerId) => !this.queue.has(runnerId));
        return Promise.resolve(due.slice(0, count).map(commandFor));
      },
      leave: ({ runnerId }) => {
        this.left.push(runnerId);
        return Promise.resolve();
      },
      handsOf: () => 2,
      clock: this.clock,
      log: silentLogger(),
      signal: new AbortController().signal,
    });
  }

  offer(lane: string, ...runnerIds: string[]): void {
    for (const runnerId of runnerIds) this.queue.offer(lane, commandFor(runnerId));
  }

  /** Ends the step that is under way; the one after it is in the lane `next`. */
  async end(runnerId: string, next?: string): Promise<void> {
    this.#ends.get(runnerId)?.resolve(next);
    const index = this.records.indexOf(runnerId);
    if (index >= 0) this.records.splice(index, 1);
    await this.clock.advance(0);
  }

  async fail(runnerId: string): Promise<void> {
    this.#ends.get(runnerId)?.reject(new Error('no connection'));
    await this.clock.advance(0);
  }
}

const commandFor = (runnerId: string): RunnerCommand => ({ v: 1, scaleSetId: 's', runnerId });
const many = (count: number) => Array.from({ length: count }, (_, n) => `r${n}`);

describe('DeleteQueue', () => {
  test('a thousand deletions in a provider that hangs keep none of another waiting', () => {
    const bench = new Bench();

    bench.offer('provider hanging', ...many(1_000));
    bench.offer('provider healthy', 'a');

    expect(bench.begun).toEqual([
      'provider hanging/r0',
      'provider hanging/r1',
      'provider healthy/a',
    ]);
  });

  test('what waits for GitHub holds no hand of the provider', async () => {
    const bench = new Bench();
    bench.offer('provider p', 'a', 'b', 'c', 'd');

    for (const runnerId of ['a', 'b', 'c', 'd']) await bench.end(runnerId, 'github g');

    expect(bench.begun.filter((one) => one.startsWith('provider'))).toHaveLength(4);
    expect(bench.begun.filter((one) => one.startsWith('github'))).toEqual([
      'github g/a',
      'github g/b',
    ]);
    expect(['a', 'b', 'c', 'd'].every((runnerId) => bench.queue.has(runnerId))).toBe(true);
  });

  test('a command for a runner that waits or is under way here is nothing', async () => {
    const bench = new Bench();
    bench.offer('provider p', 'a', 'b', 'c');

    bench.offer('provider p', 'a', 'c');
    await bench.end('a');
    await bench.end('b');
    await bench.end('c');

    expect(bench.begun).toEqual(['provider p/a', 'provider p/b', 'provider p/c']);
    expect(bench.queue.has('a')).toBe(false);
  });

  test('looks for more in the records when it has done half of what it may hold, and only then', async () => {
    const bench = new Bench();
    bench.records.push(...many(100));
    bench.offer('provider p', ...bench.records);
    const before = bench.searches.length;

    for (const runnerId of many(23)) await bench.end(runnerId);
    await bench.clock.advance(1_000);

    expect(before).toBe(0);
    expect(bench.searches[0]).toBe(21);
    expect(bench.queue.has('r43')).toBe(true);
    for (const runnerId of many(100)) {
      await bench.end(runnerId);
      await bench.clock.advance(100);
    }
    expect(bench.begun).toHaveLength(100);
    expect(new Set(bench.begun).size).toBe(100);
  });

  test('takes from the records what it was told of and never offered', async () => {
    const bench = new Bench();
    bench.records.push('a', 'b');

    bench.queue.expectMore('provider p');
    await bench.clock.advance(0);

    expect(bench.begun).toEqual(['provider p/a', 'provider p/b']);
  });

  test('a step that throws frees its hand', async () => {
    const bench = new Bench();
    bench.offer('provider p', 'a', 'b', 'c');

    await bench.fail('a');

    expect(bench.begun).toContain('provider p/c');
    expect(bench.queue.has('a')).toBe(false);
  });

  test('leaves to others what waits when it is stopped, and the steps that would come next', async () => {
    const bench = new Bench();
    bench.offer('provider p', 'a', 'b', 'c', 'd');

    bench.queue.stop();
    const atOnce = [...bench.left];
    await bench.end('a', 'github g');
    await bench.end('b');
    await bench.queue.idle();

    expect(atOnce).toEqual(['c', 'd']);
    expect(bench.left).toEqual(['c', 'd', 'a']);
    expect(bench.begun).toEqual(['provider p/a', 'provider p/b']);
  });

  test('a step that begins because another has ended has no part in its trace', async () => {
    using _spans = recordSpans();
    const bench = new Bench();
    const [first, own] = ['1', '2'].map((id) => `00-${id.repeat(32)}-${id.repeat(16)}-01`);

    inTrace(first, () => {
      for (const runnerId of ['a', 'b']) {
        bench.queue.offer('provider p', { ...commandFor(runnerId), traceparent: first });
      }
      bench.queue.offer('provider p', { ...commandFor('c'), traceparent: own });
      bench.offer('provider p', 'd');
    });
    for (const runnerId of ['a', 'b']) await bench.end(runnerId);

    expect(bench.traces).toEqual([first, first, own, undefined]);
  });
});
