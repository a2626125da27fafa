import type { Instance } from '@baton/providers';
import { describe, expect, test } from 'vitest';
import type { ToldLie } from './lie.ts';
import { type Deleted, isMeant, listAsTold } from './list-as-told.ts';

const nowMs = 100_000;

function instance(id: string, createdMs: number, exitedMs?: number): Instance {
  return {
    instanceId: id,
    runnerId: id,
    runnerName: `web-${id}`,
    scaleSetId: 'web',
    generation: 'g',
    createdAt: new Date(createdMs).toISOString(),
    state: exitedMs === undefined ? 'running' : 'exited',
    ...(exitedMs === undefined ? {} : { exitCode: 0, exitedAt: new Date(exitedMs).toISOString() }),
  };
}

function lie(part: Partial<ToldLie>): ToldLie {
  return {
    id: 1,
    what: 'list empty',
    whom: ['janitor-0'],
    share: 1,
    salt: 1,
    agoMs: 10_000,
    fromMs: 95_000,
    untilMs: 150_000,
    ...part,
  };
}

const many = Array.from({ length: 40 }, (_, index) => instance(`r${index}`, 1_000));

function ids(told: Instance[]): string[] {
  return told.map(({ instanceId }) => instanceId);
}

function told(part?: Partial<ToldLie>, real = many, deleted: Deleted[] = [], at = nowMs) {
  return listAsTold({ real, deleted, nowMs: at }, part && lie(part));
}

test('without a lie, and under one about failures, it is the truth', () => {
  expect(told()).toEqual(many);
});

describe('a list that leaves out', () => {
  test('everything', () => {
    expect(told({ what: 'list empty' })).toEqual([]);
  });

  test('half: always the same, or another one each time', () => {
    const half = { what: 'list half', share: 0.5 } as const;
    const other = { what: 'list other half each time', share: 0.5 } as const;

    expect(told(half).length).toBeGreaterThan(8);
    expect(told(half).length).toBeLessThan(32);
    expect(told(half, many, [], nowMs + 1)).toEqual(told(half));
    expect(told({ ...half, salt: 2 })).not.toEqual(told(half));
    expect(told(other, many, [], nowMs + 1)).not.toEqual(told(other));
  });
});

describe('a list of what was', () => {
  const real = [
    instance('old', 1_000),
    instance('ended', 1_000, 95_000),
    instance('ended-before', 1_000, 80_000),
    instance('new', 96_000),
  ];
  const deleted = [
    { instance: instance('gone', 1_000, 92_000), atMs: 93_000 },
    { instance: instance('long-gone', 1_000), atMs: 70_000 },
  ];

  test('a while ago: what is new is missing, what ended runs, what was deleted is there', () => {
    const late = told({ what: 'list late', agoMs: 10_000 }, real, deleted);

    expect(ids(late)).toEqual(['old', 'ended', 'ended-before', 'gone']);
    expect(late.map(({ state }) => state)).toEqual(['running', 'running', 'exited', 'running']);
    expect(late[1]).not.toHaveProperty('exitCode');
  });

  test('when the lie began does not change', () => {
    const frozen = { what: 'list frozen', agoMs: 0 } as const;

    expect(ids(told(frozen, real, deleted))).toEqual(['old', 'ended', 'ended-before']);
    expect(ids(told(frozen, real, deleted, nowMs + 30_000))).toEqual([
      'old',
      'ended',
      'ended-before',
    ]);
  });
});

test('an instance whose deletion was lied about lingers, once and until then', () => {
  const gone = { instance: instance('gone', 1_000), atMs: 99_000, lingersUntilMs: 120_000 };

  expect(ids(told(undefined, [], [gone, gone]))).toEqual(['gone']);
  expect(told(undefined, [], [gone], 120_000)).toEqual([]);
});

test('whom a lie is about depends on the lie and the runner', () => {
  const meant = many.filter(({ runnerId }) => isMeant({ salt: 1, share: 0.5 }, runnerId));

  expect(many.every(({ runnerId }) => isMeant({ salt: 1, share: 1 }, runnerId))).toBe(true);
  expect(meant.length).toBeGreaterThan(8);
  expect(meant.length).toBeLessThan(32);
});
