import type { JobRecord } from '@baton/github-sim';
import { scaleSetIdOf } from '@baton/shared/contracts';
import { describe, expect, test } from 'vitest';
import type { Disturbance } from './driver.ts';
import { unexcusedRunners } from './duplicate-runners.ts';
import type { Lie } from './lies/lie.ts';
import { entry, evidence, fault, gap, job } from './testing/evidence.ts';

const killed = { ...job('a', 'failed'), startedAt: 10_000, completedAt: 26_000 };

function runner(onlineAt: number, scaleSet = 'web') {
  return { name: `r${onlineAt}`, scaleSet, registeredAt: onlineAt - 1_000, onlineAt };
}

function left(
  runners: ReturnType<typeof runner>[],
  part: Parameters<typeof evidence>[0] = { jobs: [killed], crashing: new Set(['a']) },
): string[] {
  return unexcusedRunners(runners, evidence(part)).map(({ name }) => name);
}

/** Jobs of `web` that were open from 4 s on, each until then. */
function ended(...completedAt: number[]): JobRecord[] {
  return completedAt.map((at) => ({
    ...job(`until ${at}`, 'completed'),
    queuedAt: 4_000,
    completedAt: at,
  }));
}

describe('a runner that was made to die', () => {
  test('excuses one replacement', () => {
    expect(left([runner(12_000)])).toEqual([]);
    expect(left([runner(12_000), runner(13_000)])).toEqual(['r13000']);
  });

  test('of its own scale set, while its job counted', () => {
    expect(left([runner(12_000, 'other')])).toEqual(['r12000']);
    expect(left([runner(9_000)])).toEqual(['r9000']);
    expect(left([runner(57_000)])).toEqual(['r57000']);
  });

  test('excuses nothing when that was not meant', () => {
    expect(left([runner(12_000)], { jobs: [killed] })).toEqual(['r12000']);
  });
});

describe('a job that was open while no message came', () => {
  const journal = gap(6_000, 9_000);

  test('excuses one runner, a little later at the latest', () => {
    const jobs = ended(7_000);

    expect(left([runner(9_500)], { journal, jobs })).toEqual([]);
    expect(left([runner(9_500), runner(9_600)], { journal, jobs })).toEqual(['r9600']);
    expect(left([runner(5_999)], { journal, jobs })).toEqual(['r5999']);
    expect(left([runner(14_001)], { journal, jobs })).toEqual(['r14001']);
    expect(left([runner(9_500, 'other')], { journal, jobs })).toEqual(['r9500']);
  });

  test('ten runners after one poll that was spoiled are too many but for the jobs of then', () => {
    const spoiled = entry(6_000, 'spoiled', { route: 'getMessage' });
    const ten = Array.from({ length: 10 }, (_, index) => runner(9_000 + index));
    const given = { journal: [...journal, spoiled], jobs: ended(5_000, 7_000, 20_000) };

    expect(left(ten, given)).toHaveLength(8);
  });

  test('a poll that was spoiled or a session that was asked for make no gap', () => {
    const short = [
      ...gap(6_000, 6_900),
      entry(6_000, 'spoiled', { route: 'getMessage' }),
      entry(6_100, 'asked'),
    ];

    expect(left([runner(7_000)], { journal: short, jobs: ended(6_500) })).toEqual(['r7000']);
  });

  test('as GitHub began its ids anew, until one is found', () => {
    const restart = fault({ what: 'restart ids', scaleSet: 'web', forMs: 0 }, 6_000);
    const found = [entry(40_000, 'delivered'), entry(60_000, 'delivered')];
    const given = { journal: found, disturbances: [restart], jobs: ended(7_000, 8_000) };

    expect(left([runner(41_000), runner(45_001)], given)).toEqual(['r45001']);
  });
});

describe('a runner that the provider lied about', () => {
  const lie = {
    what: 'list empty',
    whom: ['provisioner-0'],
    share: 1,
    salt: 1,
    agoMs: 0,
    forMs: 20_000,
  } as const;
  const lieAt = (fromMs: number, what: Lie['what'] = 'list empty'): Disturbance => ({
    fromMs,
    toMs: fromMs + lie.forMs,
    where: 'provider',
    text: what,
    step: { kind: 'lie', atMs: 0, lie: { ...lie, what, whom: [...lie.whom] } },
    lie: 1,
  });
  const toldAt = (atMs: number, runnerName = 'lied') => ({
    lie: 1,
    atMs,
    by: 'provisioner-0',
    runnerId: runnerName,
    runnerName,
    scaleSetId: scaleSetIdOf('web'),
  });
  const given = { disturbances: [lieAt(10_000)], told: [toldAt(11_000)] };

  test('excuses one replacement in its scale set, while the lie is believed', () => {
    expect(left([runner(15_000)], given)).toEqual([]);
    expect(left([runner(15_000), runner(16_000)], given)).toEqual(['r16000']);
    expect(left([runner(15_000, 'other')], given)).toEqual(['r15000']);
    expect(left([runner(10_999)], given)).toEqual(['r10999']);
    expect(left([runner(60_001)], given)).toEqual(['r60001']);
  });

  test('or itself, who came before; and counts once, however often it was lied about', () => {
    const itself = { ...runner(2_000), name: 'lied' };
    const often = { ...given, told: [toldAt(11_000), toldAt(12_000)] };

    expect(left([itself], given)).toEqual([]);
    expect(left([itself, runner(15_000)], often)).toEqual(['r15000']);
  });

  test('for a moment excuses nothing, but a create that was said to fail', () => {
    const late = [toldAt(20_001)];

    expect(left([runner(25_000)], { ...given, told: late })).toEqual(['r25000']);
    const create = [lieAt(10_000, 'create quota though made')];
    expect(left([runner(25_000)], { disturbances: create, told: late })).toEqual([]);
  });

  test('by a lie that nobody told excuses nothing', () => {
    expect(left([runner(15_000)], { ...given, told: [] })).toEqual(['r15000']);
    expect(left([runner(15_000)], { ...given, disturbances: [] })).toEqual(['r15000']);
  });
});

describe('a runner that could have no job', () => {
  const jobs = [job('a', 'completed')];

  test('as GitHub dropped its registration is excused itself, and no other', () => {
    const dropped = new Set(['r9000']);

    expect(left([runner(9_000), runner(9_001)], { jobs, dropped })).toEqual(['r9001']);
  });

  test('as it came online when it had been given up is excused', () => {
    const late = (registeredAt: number) => ({ ...runner(90_000), registeredAt });

    expect(left([late(30_000)], { jobs })).toEqual([]);
    expect(left([late(30_001)], { jobs })).toEqual(['r90000']);
  });
});

describe('a job too many in the statistics', () => {
  const counted = (more: number | 'none') =>
    fault({ what: 'false statistics', scaleSet: 'web', more, forMs: 2_000 }, 10_000);
  const journal = [entry(11_000, 'delivered'), entry(13_000, 'delivered')];

  test('excuses a runner each, of its scale set, until the truth was told and what that may cost', () => {
    const disturbances = [counted(2)];
    const given = { disturbances, journal };

    expect(left([runner(10_500), runner(12_500), runner(12_600)], given)).toEqual(['r12600']);
    expect(left([runner(43_000)], given)).toEqual([]);
    expect(left([runner(43_001)], given)).toEqual(['r43001']);
    expect(left([runner(9_999), runner(10_500, 'other')], given)).toEqual(['r9999', 'r10500']);
  });

  test('excuses nothing when they counted too few', () => {
    const disturbances = [counted('none')];

    expect(left([runner(10_500)], { disturbances, journal })).toEqual(['r10500']);
  });
});

test('a job that was open while its scale set was mute excuses a runner, until something is heard', () => {
  const disturbances = [fault({ what: 'mute', scaleSet: 'web', forMs: 2_000 }, 6_000)];
  const journal = [entry(5_000, 'delivered'), entry(8_500, 'delivered')];
  const given = { disturbances, journal, jobs: ended(7_000) };

  expect(left([runner(13_500)], given)).toEqual([]);
  expect(left([runner(13_501)], given)).toEqual(['r13501']);
});
