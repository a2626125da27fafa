import { describe, expect, test } from 'vitest';
import { offline } from './offline.ts';
import {
  aLiving,
  anInstance,
  aRegistration,
  at0And,
  findLast,
  look,
  many,
  until,
} from './testing/scene.ts';

const idle = aLiving();
const busy = aLiving({ state: 'busy' });
const gone = { status: 'offline', busy: false };

function scene(runner = idle, part: Parameters<typeof aRegistration>[1] = gone) {
  return {
    runners: [runner],
    instances: [anInstance(runner)],
    registrations: [aRegistration(runner, part)],
  };
}

describe('a runner that GitHub lists as offline', () => {
  test.each([
    { runner: idle, minutes: 10 },
    { runner: busy, minutes: 30 },
  ])('goes after $minutes min when it is $runner.state', ({ runner, minutes }) => {
    const ms = minutes * 60_000;

    expect(findLast(offline, until(ms - 1, scene(runner)))).toEqual([]);
    expect(findLast(offline, until(ms, scene(runner)))).toMatchObject([
      {
        mark: {
          reason: 'offline',
          gate: 'github',
          text: `GitHub has listed it as offline for ${minutes} min, although its instance runs`,
          evidence: { views: [{}, { view: 'instances of local' }, { count: 1 }] },
        },
      },
    ]);
  });

  test.each([
    { what: 'GitHub does not say so', part: { status: undefined } },
    { what: 'GitHub says a word that nobody knows', part: { status: 'draining' } },
    { what: 'GitHub believes that it runs a job', part: { status: 'offline', busy: true } },
  ])('stays as long as $what', ({ part }) => {
    expect(findLast(offline, until(3_600_000, scene(busy, part)))).toEqual([]);
  });

  test('begins anew when it was online in between, and after an outage', () => {
    const [first, second] = at0And(600_000, scene());
    const online = { atMs: 300_000, ...scene(idle, {}) };
    const before = { atMs: 0, ...scene() };
    const down = { ...scene(), registrations: 'failed' as const };
    const outage = many(20, (index) => ({ ...down, atMs: (index + 1) * 60_000 }));
    const afterwards = { atMs: 1_260_000, ...scene() };

    expect(first && second && findLast(offline, [first, online, second])).toEqual([]);
    expect(findLast(offline, [before, ...outage, afterwards])).toEqual([]);
  });

  test.each([
    { what: 'is not listed by its provider', instances: [] },
    { what: 'has ended', instances: [anInstance(idle, { state: 'exited' })] },
    { what: 'cannot be looked at', instances: 'failed' as const },
  ])('is not this sweep’s matter when its instance $what', ({ instances }) => {
    expect(findLast(offline, at0And(600_000, { ...scene(), instances }))).toEqual([]);
  });

  test('stays with most of four: that is the network, or GitHub', () => {
    const runners = many(4, (index) => aLiving({ runnerId: `r${index}`, githubRunnerId: index }));
    const registrations = runners.map((runner) => aRegistration(runner, gone));
    const instances = runners.map((runner) => anInstance(runner));
    const decisions = look(offline, until(7_200_000, { runners, registrations, instances }));

    expect(decisions.flatMap(({ findings }) => findings)).toEqual([]);
    expect(decisions.at(-1)?.problem).toContain('4 of 4 look wrong at once');
  });
});

test('runners that boot are offline, and no reason to doubt the list', () => {
  const runners = many(5, (index) => aLiving({ runnerId: `r${index}`, state: 'starting' }));
  const registrations = runners.map((runner) => aRegistration(runner, gone));
  const instances = runners.map((runner) => anInstance(runner));
  const [decision] = look(offline, at0And(1, { runners, registrations, instances }));

  expect(decision).toMatchObject({ lookedAt: 5, left: {} });
  expect(decision).not.toHaveProperty('problem');
});

describe('a runner that GitHub does not list', () => {
  test('goes after five minutes while its instance lives', () => {
    const scenes = at0And(300_000, { ...scene(busy), registrations: [] });

    expect(findLast(offline, scenes)).toMatchObject([
      { mark: { reason: 'unregistered', gate: 'github' } },
    ]);
  });

  test('stays when GitHub is not known to have had it', () => {
    const { githubRunnerId: _githubRunnerId, ...unknown } = aLiving({ state: 'starting' });

    expect(findLast(offline, at0And(300_000, { ...scene(unknown), registrations: [] }))).toEqual(
      [],
    );
  });
});
