import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aCompletion, anAssignment, aStart, someStatistics } from '../testing/jobs.ts';
import { DemandCounter } from './demand-counter.ts';

/** A counter whose backlog is over. */
function aSettledCounter(opening = 0): DemandCounter {
  const counter = new DemandCounter(someStatistics(opening), 0);
  counter.onPollHeld();
  return counter;
}

const assign = (...ids: string[]) => ids.map((jobId) => anAssignment({ jobId }));
const complete = (...ids: string[]) => ids.map((jobId) => aCompletion({ jobId }));

describe('DemandCounter', () => {
  test('begins with what GitHub said when the session was opened', () => {
    expect(new DemandCounter(someStatistics(3), 0).current).toEqual({ seq: 0, assigned: 3 });
    expect(new DemandCounter(undefined, 0).current).toEqual({ seq: 0, assigned: 0 });
  });

  test('tells the runners that GitHub counted last, those of a backlog not', () => {
    const opening = { ...someStatistics(1), totalRegisteredRunners: 4, totalBusyRunners: 1 };
    const counter = new DemandCounter(opening, 0);
    counter.onMessage(assign('a'), someStatistics(9), 10);
    expect(counter.runners).toEqual({ registered: 4, busy: 1, idle: 0 });

    counter.onPollHeld();
    counter.settle(undefined, 20);
    counter.onMessage([], undefined, 30);
    expect(counter.runners).toEqual({ registered: 4, busy: 1, idle: 0 });
    counter.onMessage([], { ...someStatistics(1), totalIdleRunners: 2 }, 40);

    expect(counter.runners).toEqual({ registered: 0, busy: 0, idle: 2 });
  });

  test('has a new demand when GitHub, asked, counts other runners', () => {
    const counter = aSettledCounter(3);

    expect(counter.onStatistics(someStatistics(3), 0, 10)).toBe(false);
    const changed = counter.onStatistics({ ...someStatistics(3), totalBusyRunners: 3 }, 0, 20);

    expect(changed).toBe(true);
    expect(counter.current).toEqual({ seq: 1, assigned: 3 });
    expect(counter.runners.busy).toBe(3);
  });

  test('goes on behind the demands of an earlier session', () => {
    const counter = new DemandCounter(someStatistics(3), 0, { firstSeq: 7 });
    counter.onMessage(assign('a'), undefined, 10);

    expect(counter.current).toEqual({ seq: 7, assigned: 3 });
    expect(counter.nextSeq).toBe(8);
    counter.onPollHeld();
    expect(counter.settle(someStatistics(2), 300)).toBe(true);
    expect(counter.current).toEqual({ seq: 8, assigned: 2 });
    expect(counter.settle(someStatistics(1), 310)).toBe(false);
  });

  test('takes over the statistics of each message', () => {
    const counter = aSettledCounter();

    const changed = counter.onMessage(assign('a'), someStatistics(5), 10);
    counter.onMessage([], someStatistics(2), 20);

    expect(changed).toBe(true);
    expect(counter.current).toEqual({ seq: 2, assigned: 2 });
  });

  test('counts the jobs of messages whose statistics are at zero', () => {
    const counter = aSettledCounter();

    counter.onMessage(assign('a', 'b'), someStatistics(0), 10);

    expect(counter.current.assigned).toBe(2);
  });

  test('counts the jobs of messages without statistics', () => {
    const counter = aSettledCounter();

    counter.onMessage(assign('a'), undefined, 10);

    expect(counter.current.assigned).toBe(1);
  });

  test('counts a job once, however often it is delivered', () => {
    const counter = aSettledCounter();

    counter.onMessage(assign('a'), someStatistics(0), 10);
    counter.onMessage(assign('a'), someStatistics(0), 20);

    expect(counter.current.assigned).toBe(1);
  });

  test('a running job is still assigned', () => {
    const counter = aSettledCounter();

    counter.onMessage(assign('a'), someStatistics(0), 10);
    counter.onMessage([aStart({ jobId: 'a' })], someStatistics(0), 20);

    expect(counter.current.assigned).toBe(1);
  });

  test('a job that is over, or was canceled before it ran, is not assigned any more', () => {
    const counter = aSettledCounter();
    counter.onMessage(assign('done', 'canceled', 'open'), someStatistics(0), 10);

    counter.onMessage(complete('done'), someStatistics(0), 20);
    const canceled = aCompletion({ jobId: 'canceled', result: 'canceled', runnerName: '' });
    counter.onMessage([canceled], someStatistics(0), 30);

    expect(counter.current.assigned).toBe(1);
  });

  test('tells jobs apart by their request where they have no id', () => {
    const counter = aSettledCounter();

    const jobs = ['7', '8', '8'].map((runnerRequestId) =>
      anAssignment({ jobId: '', runnerRequestId }),
    );
    counter.onMessage(jobs, someStatistics(0), 10);

    expect(counter.current.assigned).toBe(2);
  });

  test('leaves it to GitHub after two minutes whether a job is still assigned', () => {
    const counter = aSettledCounter();
    counter.onMessage(assign('a'), someStatistics(0), 0);

    counter.onMessage([], someStatistics(0), 120_000);
    const trusted = counter.current.assigned;
    counter.onMessage([], someStatistics(0), 120_001);

    expect([trusted, counter.current.assigned]).toEqual([1, 0]);
  });

  test('follows what GitHub says when it is asked, once a lost completion is no longer waited for', () => {
    const counter = aSettledCounter();
    counter.onMessage(assign('a'), someStatistics(0), 0);
    const { seq } = counter.current;

    const trusted = counter.onStatistics(someStatistics(0), seq, 60_000);
    const exceeds = counter.exceedsStatistics;
    const dropped = counter.onStatistics(someStatistics(0), seq, 120_001);

    expect([trusted, exceeds, dropped]).toEqual([false, true, true]);
    expect(counter.exceedsStatistics).toBe(false);
    expect(counter.current).toEqual({ seq: seq + 1, assigned: 0 });
  });

  test('an answer that a message has overtaken changes nothing', () => {
    const counter = aSettledCounter();
    const { seq } = counter.current;
    counter.onMessage([], someStatistics(5), 10);

    expect(counter.onStatistics(someStatistics(2), seq, 20)).toBe(false);
    expect(counter.onStatistics(undefined, seq + 1, 20)).toBe(false);
    expect(counter.current.assigned).toBe(5);
  });

  test('does not use the statistics of messages that piled up while nobody listened', () => {
    const counter = new DemandCounter(someStatistics(1), 0);

    const changed = counter.onMessage(assign('a'), someStatistics(40), 10);

    expect(changed).toBe(false);
    expect(counter.current).toEqual({ seq: 0, assigned: 1 });
    expect(counter.nextSeq).toBe(1);
  });

  test('asks GitHub once more when a backlog brought jobs, and takes over its answer', () => {
    const counter = new DemandCounter(someStatistics(40), 0);
    counter.onMessage([...assign('a'), ...complete('b', 'c')], someStatistics(39), 10);

    const ask = counter.onPollHeld();
    const changed = counter.settle(someStatistics(38), 300);

    expect([ask, changed]).toEqual([true, true]);
    expect(counter.current).toEqual({ seq: 1, assigned: 38 });
  });

  test('the open jobs of a backlog count when GitHub says less', () => {
    const counter = new DemandCounter(someStatistics(0), 0);
    counter.onMessage(assign('a', 'b', 'c'), undefined, 10);
    counter.onMessage(complete('b'), undefined, 20);

    counter.onPollHeld();
    counter.settle(someStatistics(0), 300);

    expect(counter.current.assigned).toBe(2);
  });

  test('goes back to the statistics of opening when GitHub cannot be asked', () => {
    const counter = new DemandCounter(someStatistics(4), 0);
    counter.onMessage(assign('a'), undefined, 10);

    counter.onPollHeld();
    counter.settle(undefined, 300);

    expect(counter.current).toEqual({ seq: 1, assigned: 4 });
  });

  test('asks nothing when there was no backlog, and never a second time', () => {
    const quiet = new DemandCounter(someStatistics(4), 0);
    const busy = new DemandCounter(someStatistics(4), 0);
    busy.onMessage(assign('a'), undefined, 10);

    const asked = [quiet.onPollHeld(), busy.onPollHeld(), busy.onPollHeld()];

    expect(asked).toEqual([false, true, false]);
  });

  test('a message that comes before the answer counts instead of it', () => {
    const counter = new DemandCounter(someStatistics(4), 0);
    counter.onMessage(assign('a'), undefined, 10);
    counter.onPollHeld();

    counter.onMessage([], someStatistics(9), 20);
    const changed = counter.settle(someStatistics(1), 30);

    expect(changed).toBe(false);
    expect(counter.current).toEqual({ seq: 1, assigned: 9 });
  });

  test('a backlog that does not end is taken for over after two seconds', () => {
    const counter = new DemandCounter(someStatistics(1), 0);

    const before = counter.onMessage([], someStatistics(5), 1_999);
    const after = counter.onMessage([], someStatistics(6), 2_000);

    expect([before, after]).toEqual([false, true]);
    expect(counter.current).toEqual({ seq: 1, assigned: 6 });
  });

  test('never says less than the jobs it knows to be open, and its sequence only grows', () => {
    const ids = fc.constantFrom('a', 'b', 'c', 'd');
    const messages = fc.array(
      fc.record({ jobs: fc.array(fc.tuple(fc.boolean(), ids)), statistics: fc.nat(6) }),
    );

    fc.assert(
      fc.property(messages, (all) => {
        const counter = aSettledCounter();
        const open = new Set<string>();
        let seq = 0;
        for (const { jobs, statistics } of all) {
          for (const [assigned, id] of jobs) {
            if (assigned) open.add(id);
            else open.delete(id);
          }
          const entries = jobs.map(([assigned, jobId]) =>
            assigned ? anAssignment({ jobId }) : aCompletion({ jobId }),
          );
          counter.onMessage(entries, someStatistics(statistics), 10);

          expect(counter.current.assigned).toBe(Math.max(statistics, open.size));
          expect(counter.current.seq).toBe(seq + 1);
          seq = counter.current.seq;
        }
      }),
    );
  });
});
