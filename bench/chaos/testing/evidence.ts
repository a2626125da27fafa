import type { JobRecord, JournalEntry } from '@baton/github-sim';
import type { Evidence } from '../checker.ts';
import type { Disturbance } from '../driver.ts';
import type { GitHubFault } from '../random-fault.ts';
import type { Strike } from '../schedule.ts';

export const timing = { leaseTtlMs: 10_000, sessionExpiryMs: 20_000 };
const listeners = ['listener-0', 'listener-1', 'listener-2'];

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

/** All is well, but for what is given. */
export function evidence(
  part: Partial<Evidence> = {},
  books: Partial<Evidence['books']> = {},
): Evidence {
  return {
    jobs: [],
    crashing: new Set(),
    dropped: new Set(),
    books: {
      jobs: none,
      lostJobs: 0,
      runnersOnline: 0,
      jobsStarted: 0,
      duplicateRunners: 0,
      unusedRunners: [],
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
    records: 0,
    told: [],
    journal: [],
    disturbances: [],
    listeners,
    facts: [],
    drains: [],
    sights: [],
    endMs: 200_000,
    unrest: undefined,
    endedByThemselves: [],
    ...part,
  };
}

export function job(id: string, status: JobRecord['status']): JobRecord {
  return {
    id,
    status,
    result: null,
    repository: 'acme/app',
    labels: [],
    scaleSet: 'web',
    assignments: 0,
    queuedAt: 0,
    assignedAt: null,
    startedAt: null,
    completedAt: null,
    runnerName: null,
  };
}

export function entry(
  at: number,
  event: JournalEntry['event'],
  more: Partial<JournalEntry> = {},
): JournalEntry {
  return { number: at, at, scaleSet: 'web', event, ...more };
}

/** `web` is polled from 0 on, but for the time between. */
export function gap(
  fromMs: number,
  toMs: number,
  before = 'listener-0',
  after = before,
): JournalEntry[] {
  return [
    entry(1, 'held', { by: before }),
    entry(fromMs, 'ended'),
    entry(toMs, 'held', { by: after }),
  ];
}

export function strike(
  victim: string,
  fromMs: number,
  toMs: number,
  how: Strike['how'] = 'kill',
): Disturbance {
  const step = { kind: 'strike', atMs: 0, how, victim, backAfterMs: toMs - fromMs } as const;
  return { fromMs, toMs, where: victim, text: `${how} ${victim}`, step };
}

export function fault(given: GitHubFault, fromMs: number): Disturbance {
  const step = { kind: 'fault', atMs: 0, fault: given } as const;
  return { fromMs, toMs: fromMs + given.forMs, where: 'github', text: given.what, step };
}
