import type { Runner as Registration } from '@baton/scaleset';
import type { Runner } from '@baton/shared/contracts';
import type { Absences } from '@baton/shared/runners';
import { aRunner } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { after, startMs } from '../testing/plan-input.ts';
import { judgeRegistrations } from './judge-registrations.ts';

function listed(runner: Runner, part: Partial<Registration> = {}): Registration {
  return {
    id: runner.githubRunnerId ?? 1,
    name: runner.name,
    scaleSetId: 1,
    status: 'online',
    busy: false,
    ephemeral: true,
    createdOn: undefined,
    version: undefined,
    ...part,
  };
}

const unknown = { status: undefined, busy: undefined };
const offline = { status: 'offline', busy: false };

interface Look {
  runners: Runner[];
  list?: Registration[];
  atMs: number;
  absences?: Absences;
}

/** One look, so long after the runners got into their states; the deadline is 20 min. */
function judge({ runners, list = [], atMs, absences = new Map() }: Look) {
  return judgeRegistrations({
    runners,
    listed: list,
    absences,
    deadlineMs: () => 1_200_000,
    askedAt: { nowMs: startMs + atMs, monotonicMs: atMs },
  });
}

/** Looks at a list that has only `list`, at these times; what the last look marked. */
function markedAfter(runners: Runner[], timesMs: readonly number[], list: Registration[] = []) {
  let absences: Absences = new Map();
  let marked: string[] = [];
  for (const atMs of timesMs) {
    const result = judge({ runners, list, atMs, absences });
    absences = result.absences;
    marked = result.marked.map(({ runner, mark }) => `${runner.runnerId} ${mark.reason}`);
  }
  return marked;
}

const starting = aRunner({ runnerId: 'a', state: 'starting', githubRunnerId: 7 });
const idle = aRunner({ runnerId: 'b', state: 'idle', githubRunnerId: 8 });
const busy = aRunner({ runnerId: 'c', state: 'busy', githubRunnerId: 9 });

describe('judgeRegistrations', () => {
  test.each([
    { state: 'starting', entry: {}, kind: 'online' },
    { state: 'starting', entry: { busy: true }, kind: 'seen-busy' },
    { state: 'idle', entry: { busy: true }, kind: 'seen-busy' },
    { state: 'idle', entry: {}, kind: undefined },
    { state: 'busy', entry: { busy: true }, kind: undefined },
    { state: 'busy', entry: {}, kind: undefined },
    { state: 'starting', entry: offline, kind: undefined },
    { state: 'starting', entry: unknown, kind: undefined },
    { state: 'idle', entry: offline, kind: undefined },
    { state: 'idle', entry: unknown, kind: undefined },
  ] as const)('sees that a runner that is $state and listed as $entry is $kind', (example) => {
    const { state, entry, kind } = example;
    const runner = aRunner({ state, githubRunnerId: 7 });

    const { observed, marked } = judge({
      runners: [runner],
      list: [listed(runner, entry)],
      atMs: 60_000,
    });

    expect(observed.map(({ observation }) => observation)).toEqual(
      kind === undefined ? [] : [{ kind, githubRunnerId: 7 }],
    );
    expect(marked).toEqual([]);
  });

  test('learns the id of a runner whose name GitHub writes in another case', () => {
    const { githubRunnerId: _id, ...runner } = starting;
    const entry = listed(runner, { id: 41, name: runner.name.toUpperCase() });

    const { observed } = judge({ runners: [runner], list: [entry], atMs: 1_000 });

    expect(observed).toMatchObject([{ observation: { kind: 'online', githubRunnerId: 41 } }]);
  });

  test.each([starting, idle, busy])(
    'marks a runner that was $state and is missing in two lists 20 s apart',
    (runner) => {
      expect(markedAfter([runner], [30_000])).toEqual([]);
      expect(markedAfter([runner], [30_000, 49_999])).toEqual([]);
      expect(markedAfter([runner], [30_000, 50_000])).toEqual([`${runner.runnerId} unregistered`]);
    },
  );

  test('does not miss a runner that changed less than 30 s before the list', () => {
    expect(markedAfter([idle], [0, 29_999])).toEqual([]);
    expect(markedAfter([idle], [0, 29_999, 30_000])).toEqual([]);
  });

  test('does not miss a runner that GitHub is not known to have had', () => {
    const { githubRunnerId: _id, ...runner } = idle;

    expect(markedAfter([runner], [30_000, 90_000])).toEqual([]);
  });

  test('believes a list without most of the runners only after two minutes', () => {
    const all = ['r1', 'r2', 'r3', 'r4'].map((runnerId) => ({ ...idle, runnerId, name: runnerId }));

    expect(markedAfter(all, [30_000, 60_000, 149_999])).toEqual([]);
    expect(markedAfter(all, [30_000, 60_000, 150_000])).toHaveLength(4);
  });

  test.each([
    { what: 'not listed', list: [] },
    { what: 'offline', list: [listed(starting, offline)] },
    { what: 'listed without a status', list: [listed(starting, unknown)] },
  ])('marks a runner that is $what when its deadline is over, and says why', ({ list }) => {
    const runner = { ...starting, progress: 'pulling image x: 40 %' };
    const { githubRunnerId: _id, ...unregistered } = runner;

    const early = judge({ runners: [unregistered], list, atMs: 1_200_000 });
    const late = judge({ runners: [unregistered], list, atMs: 1_200_001 });

    expect(early.marked).toEqual([]);
    expect(late.marked).toMatchObject([
      {
        mark: {
          reason: 'registration-deadline',
          gate: 'github',
          text: 'it did not come online within 1200 s: pulling image x: 40 %',
        },
      },
    ]);
  });

  test('keeps a runner that came online before its deadline and was seen only after it', () => {
    const { observed, marked } = judge({
      runners: [starting],
      list: [listed(starting)],
      atMs: 9_000_000,
    });

    expect(observed).toMatchObject([{ observation: { kind: 'online' } }]);
    expect(marked).toEqual([]);
  });

  test('has no deadline for what has been online', () => {
    const runner = aRunner({ state: 'idle', stateAt: after(0), githubRunnerId: 7 });

    expect(judge({ runners: [runner], list: [listed(runner, offline)], atMs: 9_000_000 })).toEqual({
      absences: new Map(),
      observed: [],
      marked: [],
    });
  });
});
