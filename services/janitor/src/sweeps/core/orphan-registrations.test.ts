import type { Runner as Registration } from '@baton/scaleset';
import { aRunner } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { orphanRegistrationsAt } from './orphan-registrations.ts';
import { anInstance, aRegistration, at0And, findLast, look, many, told } from './testing/scene.ts';

const orphanRegistrations = orphanRegistrationsAt({ orphanRegistrationMs: 600_000 });

const tenMinutes = 600_000;
const letters = 'abcdefghij';
const idOf = (index: number) => `aaaaaaaa${letters[Math.floor(index / 10)]}${letters[index % 10]}`;
const runner = aRunner({ runnerId: idOf(0) });

function aGhost(name: string, part: Partial<Registration> = {}): Registration {
  return aRegistration({ name, githubRunnerId: 1 }, { status: 'offline', ...part });
}

describe('a registration with neither record nor instance', () => {
  test('goes after ten minutes offline, with all its like; foreign ones are not even counted', () => {
    const ours = many(50, (index) => aGhost(`linux-test-${idOf(index)}`, { id: index }));
    const foreign = many(50, (index) => aGhost(`linux-prod-${idOf(index)}`, { id: 100 + index }));
    const registrations = [...foreign, ...ours];
    const decisions = look(orphanRegistrations, at0And(tenMinutes, { registrations }));

    expect(decisions[0]).toMatchObject({ findings: [], lookedAt: 50, left: { 'seen once': 50 } });
    expect(told(decisions[1]?.findings ?? [])).toEqual(
      ours.map(({ name }) => ({ deregister: name })),
    );
  });

  test('goes under the name of a later attempt too', () => {
    const registrations = [aGhost(`linux-test-${idOf(0)}0xyz`)];

    expect(findLast(orphanRegistrations, at0And(tenMinutes, { registrations }))).toMatchObject([
      {
        runnerId: idOf(0),
        scope: 'github https://github.com/acme',
        text: `linux-test-${idOf(0)}0xyz has been offline for 10 min, without a record and without an instance`,
      },
    ]);
  });

  test.each([
    'linux-other-aaaaaaaaaa',
    'windows-test-aaaaaaaaaa',
    'linux-test-1',
    'my-linux-test-aaaaaaaaaa',
    'linux-test-aaaaaaaaaa-gpu',
  ])('is somebody else’s under the name of %s', (name) => {
    const decisions = look(
      orphanRegistrations,
      at0And(tenMinutes, { registrations: [aGhost(name)] }),
    );

    expect(decisions.at(-1)).toMatchObject({ findings: [], lookedAt: 0, left: {} });
  });

  test.each([
    { what: 'is online', part: { status: 'online' } },
    { what: 'has no status', part: { status: undefined } },
    { what: 'has a status that nobody knows', part: { status: 'draining' } },
    { what: 'has a job', part: { busy: true } },
    { what: 'may have a job', part: { busy: undefined } },
  ])('stays when it $what', ({ part }) => {
    const registrations = [aGhost(runner.name, part)];

    expect(findLast(orphanRegistrations, at0And(tenMinutes, { registrations }))).toEqual([]);
  });

  test.each([
    { what: 'a record', part: { runners: [runner] } },
    { what: 'a record that was written meanwhile', part: { runners: [runner], before: [] } },
    { what: 'an instance', part: { instances: [anInstance(runner)] } },
    { what: 'a record that was deleted of late', part: { deleted: [runner.runnerId] } },
    { what: 'perhaps an instance', part: { instances: 'failed' as const } },
    { what: 'no scale set', part: { specs: [] } },
    { what: 'only an old list', part: { staleMs: 100_000 } },
  ])('stays when it has $what', ({ part }) => {
    const registrations = [aGhost(runner.name)];

    expect(findLast(orphanRegistrations, at0And(tenMinutes, { registrations, ...part }))).toEqual(
      [],
    );
  });

  test('is given an hour where other hosts may have its instance', () => {
    const scene = { registrations: [aGhost(runner.name)], provider: { hostId: 'here' } };
    const everyTen = many(7, (index) => ({ ...scene, atMs: index * tenMinutes }));

    expect(findLast(orphanRegistrations, everyTen.slice(0, -1))).toEqual([]);
    expect(findLast(orphanRegistrations, everyTen)).toHaveLength(1);
  });
});
