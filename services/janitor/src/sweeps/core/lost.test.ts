import { describe, expect, test } from 'vitest';
import { lost } from './lost.ts';
import { aLiving, anInstance, at0And, findLast, look, many, told } from './testing/scene.ts';

const busy = aLiving({ state: 'busy' });

describe('a runner whose instance is not listed', () => {
  test.each(['creating', 'starting', 'idle', 'busy'] as const)(
    'is lost after two minutes when it is %s',
    (state) => {
      const scene = { runners: [aLiving({ state })] };

      expect(findLast(lost, at0And(119_999, scene))).toEqual([]);
      expect(told(findLast(lost, at0And(120_000, scene)))).toEqual([
        { mark: 'r1', reason: 'lost', gate: 'github' },
      ]);
    },
  );

  test('stays when it was listed in between: a list may lag', () => {
    const [first, last] = at0And(120_000, { runners: [busy] });
    const between = { atMs: 60_000, runners: [busy], instances: [anInstance(busy)] };

    expect(first && last && findLast(lost, [first, between, last])).toEqual([]);
  });

  test.each([
    { what: 'its provider does not answer', part: { instances: 'failed' as const } },
    { what: 'it is on another host', part: { provider: { hostId: 'here' } } },
    { what: 'the list is old', part: { staleMs: 100_000 } },
    { what: 'it was begun only while the list was read', part: { before: [] } },
  ])('stays when $what', ({ part }) => {
    expect(findLast(lost, at0And(600_000, { runners: [busy], ...part }))).toEqual([]);
  });

  test('stays with most of four, however often they are missing, and is no evidence later', () => {
    const runners = many(4, (index) => aLiving({ runnerId: `r${index}` }));
    const listed = (ids: readonly number[]) =>
      runners.filter((_runner, index) => ids.includes(index)).map((runner) => anInstance(runner));
    const decisions = look(lost, [
      { atMs: 0, runners },
      { atMs: 120_000, runners },
      { atMs: 240_000, runners, instances: listed([0]) },
      { atMs: 360_000, runners, instances: listed([0, 1]) },
      { atMs: 480_000, runners, instances: listed([0, 1]) },
    ]);

    expect(decisions.map(({ findings }) => findings.length)).toEqual([0, 0, 0, 0, 2]);
    expect(decisions[2]).toMatchObject({
      left: { 'the list is suspicious': 3 },
      problem: 'instances of local: 3 of 4 look wrong at once',
    });
  });
});

describe('a runner whose instance has ended unseen', () => {
  test.each([
    { exitCode: 0, reason: 'completed' },
    { exitCode: 3, reason: 'exited' },
  ])('goes after five minutes by GitHub’s word: code $exitCode', ({ exitCode, reason }) => {
    const instances = [anInstance(busy, { state: 'exited', exitCode })];
    const scene = { runners: [busy], instances };

    expect(findLast(lost, at0And(299_999, scene))).toEqual([]);
    expect(told(findLast(lost, at0And(300_000, scene)))).toEqual([
      { mark: 'r1', reason, gate: 'github' },
    ]);
  });
});
