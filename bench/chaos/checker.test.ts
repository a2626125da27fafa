import type { JobRecord, JournalEntry } from '@baton/github-sim';
import { describe, expect, test } from 'vitest';
import { check, type Evidence } from './checker.ts';
import type { Disturbance } from './driver.ts';
import type { GitHubFault } from './random-fault.ts';

const timing = { leaseTtlMs: 10_000, sessionExpiryMs: 20_000 };
const none = {
  queued: 0,
  available: 0,
  assigned: 0,
  running: 0,
  completed: 0,
  failed: 0,
  canceled: 0,
  total: 0,
};

function evidence(part: Partial<Evidence> = {}, books: Partial<Evidence['books']> = {}): Evidence {
  return {
    jobs: [],
    crashing: new Set(),
    books: {
      jobs: none,
      lostJobs: 0,
      runnersOnline: 0,
      jobsStarted: 0,
      duplicateRunners: 0,
      registrations: [],
      sessionGapMs: 0,
      sessionGapMsByScaleSet: {},
      sessionsCreated: 0,
      sessionConflicts: 0,
      messagesRedelivered: 0,
      traffic: {},
      ...books,
    },
    instances: 0,
    journal: [],
    disturbances: [],
    endMs: 100_000,
    endedByThemselves: [],
    ...part,
  };
}

function job(id: string, status: JobRecord['status']): JobRecord {
  return {
    id,
    status,
    result: null,
    repository: 'acme/app',
    labels: [],
    scaleSet: 'web',
    assignments: 1,
    queuedAt: 0,
    assignedAt: null,
    startedAt: null,
    completedAt: null,
    runnerName: null,
  };
}

/** `web` is polled from 0 on, but for the time between. */
function gap(fromMs: number, toMs?: number): JournalEntry[] {
  const entry = (at: number, event: JournalEntry['event']) => ({
    number: at,
    at,
    scaleSet: 'web',
    event,
  });
  const after = toMs === undefined ? [] : [entry(toMs, 'held')];
  return [entry(1, 'held'), entry(fromMs, 'ended'), ...after];
}

function strike(victim: string, fromMs: number, toMs: number): Disturbance {
  const step = {
    kind: 'strike',
    atMs: 0,
    how: 'kill',
    victim,
    backAfterMs: toMs - fromMs,
  } as const;
  return { fromMs, toMs, where: victim, text: 'kill', step };
}

function fault(given: GitHubFault, fromMs: number): Disturbance {
  const step = { kind: 'fault', atMs: 0, fault: given } as const;
  return { fromMs, toMs: fromMs + given.forMs, where: 'github', text: 'fault', step };
}

describe('counts', () => {
  test('jobs are completed, killed by us, or lost', () => {
    const jobs = [
      job('a', 'completed'),
      job('b', 'failed'),
      job('c', 'failed'),
      job('d', 'queued'),
    ];

    const verdict = check(evidence({ jobs, crashing: new Set(['b']) }), timing);

    expect(verdict).toMatchObject({
      jobs: 4,
      completed: 1,
      killedByChaos: 1,
      lost: 2,
      busyKilled: 1,
    });
    expect(verdict.promisesBroken).toHaveLength(2);
  });

  test.each([
    ['a runner too many', evidence({}, { duplicateRunners: 1 })],
    ['an instance that is left', evidence({ instances: 1 })],
    ['a registration that is left', evidence({}, { registrations: ['web-1'] })],
    ['a process that ended by itself', evidence({ endedByThemselves: ['janitor-0 ended'] })],
  ])('%s breaks a promise', (_what, given) => {
    expect(check(given, timing).promisesBroken).toHaveLength(1);
  });

  test('nothing is broken when all is well', () => {
    expect(check(evidence({ jobs: [job('a', 'completed')] }), timing).promisesBroken).toEqual([]);
  });
});

describe('a time without a poll', () => {
  const broken = (journal: JournalEntry[], disturbances: Disturbance[] = []) =>
    check(evidence({ journal, disturbances }), timing).promisesBroken.length;

  test('of a second needs no excuse, a longer one does', () => {
    expect(broken(gap(5_000, 6_000))).toBe(0);
    expect(broken(gap(5_000, 6_001))).toBe(1);
    expect(broken(gap(5_000))).toBe(1);
  });

  test('is excused until a TTL and a second after a listener or NATS is back', () => {
    expect(broken(gap(5_000, 17_900), [strike('listener-0', 4_900, 7_000)])).toBe(0);
    expect(broken(gap(5_000, 18_100), [strike('listener-0', 4_900, 7_000)])).toBe(1);
    expect(broken(gap(5_000, 17_900), [strike('nats', 4_900, 7_000)])).toBe(0);
    expect(broken(gap(5_000, 17_900), [strike('provisioner-0', 4_900, 7_000)])).toBe(1);
  });

  test('is not excused by what was over long before, or came after it', () => {
    expect(broken(gap(30_000, 32_000), [strike('listener-0', 1_000, 2_000)])).toBe(1);
    expect(broken(gap(5_000, 7_000), [strike('listener-0', 8_000, 9_000)])).toBe(1);
  });

  test('is not excused for ever, however much goes wrong one after the other', () => {
    const strikes = Array.from({ length: 30 }, (_, n) =>
      strike('listener-1', n * 10_000, n * 10_000 + 500),
    );

    expect(broken(gap(5_000, 124_000), strikes)).toBe(0);
    expect(broken(gap(5_000, 126_000), strikes)).toBe(1);
  });

  test('a refused session may be waited out, and no longer', () => {
    const conflict = { number: 2, at: 6_000, scaleSet: 'web', event: 'conflict' } as const;

    expect(broken([...gap(5_000, 35_900), conflict])).toBe(0);
    expect(broken([...gap(5_000, 36_100), conflict])).toBe(1);
  });

  test('is excused by faults of its own polls only', () => {
    const spoil = { what: 'spoil', probability: 1, forMs: 2_000 } as const;
    const status = { kind: 'status', status: 503 } as const;
    const polls = { ...spoil, route: 'getMessage', action: status } as const;
    const journal = gap(5_000, 10_000);

    expect(broken(journal, [fault({ ...polls, scaleSet: 'web' }, 4_900)])).toBe(0);
    expect(broken(journal, [fault({ ...polls, scaleSet: 'other' }, 4_900)])).toBe(1);
    expect(
      broken(journal, [fault({ ...spoil, route: 'removeRunner', action: status }, 4_900)]),
    ).toBe(1);
    expect(broken(gap(5_000, 80_000), [fault({ ...polls, action: { kind: 'hang' } }, 4_900)])).toBe(
      0,
    );
  });
});

test('polls that push each other away again and again are two pollers', () => {
  const pushed = (count: number): JournalEntry[] =>
    Array.from({ length: count }, (_, n) => ({
      number: n,
      at: n * 100,
      scaleSet: 'web',
      event: 'superseded' as const,
    }));

  expect(check(evidence({ journal: pushed(8) }), timing).promisesBroken).toEqual([]);
  expect(check(evidence({ journal: pushed(9) }), timing).promisesBroken).toHaveLength(1);
});
