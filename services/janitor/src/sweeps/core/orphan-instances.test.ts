import { aRunner, at } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { orphanInstances } from './orphan-instances.ts';
import {
  aLiving,
  anInstance,
  aRegistration,
  at0And,
  findLast,
  look,
  many,
  spec,
  told,
} from './testing/scene.ts';

const runner = aRunner({ hostId: 'here' });
const instance = anInstance(runner, { instanceId: 'i-1' });
const minute = 60_000;

describe('an instance without a record', () => {
  const scene = { instances: [instance], provider: { hostId: 'here' } };
  const adoptedAt = '2026-01-01T00:01:00.030Z';

  test.each([
    {
      what: 'has a job',
      entry: { status: 'offline', busy: true },
      known: { state: 'busy', onlineAt: adoptedAt },
    },
    { what: 'is online', entry: {}, known: { state: 'idle', onlineAt: adoptedAt } },
    { what: 'is not online yet', entry: { status: 'offline' }, known: { state: 'starting' } },
    {
      what: 'GitHub says nothing about',
      entry: { status: undefined, busy: undefined },
      known: { state: 'starting' },
    },
  ])('that $what is adopted as it is after a minute', ({ entry, known }) => {
    const registrations = [aRegistration({ ...runner, githubRunnerId: 9 }, entry)];
    const found = findLast(orphanInstances, at0And(minute, { ...scene, registrations }));

    expect(found).toEqual([
      {
        action: 'adopt',
        runner: {
          ...runner,
          createdAt: instance.createdAt,
          stateAt: adoptedAt,
          instanceId: 'i-1',
          githubRunnerId: 9,
          adopted: { at: adoptedAt, by: 'janitor' },
          ...known,
        },
        text: `i-1 has had no record for 60 s: it is given one, as ${known.state}`,
        evidence: {
          since: '2026-01-01T00:00:00.010Z',
          looks: 2,
          views: [
            { view: 'records', at: '2026-01-01T00:01:00.020Z', count: 0 },
            { view: 'instances of local', at: '2026-01-01T00:01:00.010Z', count: 1 },
            {
              view: 'runners of https://github.com/acme as "github"',
              at: '2026-01-01T00:01:00.010Z',
              count: 1,
            },
          ],
        },
      },
    ]);
  });

  test.each([
    { exitCode: 0, state: 'completed' },
    { exitCode: 5, state: 'failed' },
    { exitCode: undefined, state: 'failed' },
  ])('that has exited with $exitCode goes its way, whether or not GitHub answers', (ended) => {
    const { exitCode: code, state } = ended;
    const exit = code === undefined ? {} : { exitCode: code };
    const instances = [anInstance(runner, { state: 'exited', exitedAt: at, ...exit })];
    const scenes = at0And(minute, { instances, registrations: 'failed' as const, specs: [] });

    expect(findLast(orphanInstances, scenes)).toMatchObject([
      { action: 'adopt', runner: { state, exit: { at, ...(code === undefined ? {} : { code }) } } },
    ]);
  });

  test('that GitHub has not listed for ten minutes can take no job any more', () => {
    const unlisted = { ...scene, registrations: [] };

    expect(findLast(orphanInstances, at0And(10 * minute - 1, unlisted))).toEqual([]);
    expect(findLast(orphanInstances, at0And(10 * minute, unlisted))).toMatchObject([
      { runner: { state: 'failed', failure: { class: 'unregistered' } } },
    ]);
  });

  test('waits while GitHub cannot be asked, or lists hardly any of them', () => {
    const down = look(
      orphanInstances,
      at0And(10 * minute, { ...scene, registrations: 'failed' as const }),
    );
    const instances = many(4, (index) => anInstance(aRunner({ runnerId: `r${index}` })));
    const cut = look(orphanInstances, at0And(10 * minute, { instances }));

    expect(down.at(-1)).toMatchObject({ findings: [], left: { "no list of GitHub's": 1 } });
    expect(cut.at(-1)).toMatchObject({ findings: [], left: { 'the list is suspicious': 4 } });
    expect(cut.at(-1)?.problem).toContain('4 of 4');
  });

  test.each([
    { what: 'was made while it was looked for', part: { runners: [aRunner()], before: [] } },
    { what: 'lingers after its deletion', part: { deleted: ['r1'] } },
    {
      what: 'has a name of another installation',
      part: { instances: [{ ...instance, runnerName: 'linux-other-r1' }] },
    },
    {
      what: 'says that it is another’s',
      part: { instances: [{ ...instance, runnerName: 'linux-test-r2' }] },
    },
    { what: 'is on an old list', part: { staleMs: 100_000 } },
  ])('is no orphan when it $what', ({ part }) => {
    const registrations = [aRegistration(runner)];
    const scenes = at0And(10 * minute, { ...scene, registrations, ...part });

    expect(findLast(orphanInstances, scenes)).toEqual([]);
  });

  test('is of the present generation when its provider cannot tell', () => {
    const instances = [{ ...instance, generation: 'unknown' }];
    const registrations = [aRegistration(runner)];

    expect(findLast(orphanInstances, at0And(minute, { instances, registrations }))).toMatchObject([
      { runner: { generation: spec.generation } },
    ]);
  });

  test('and without a scale set is adopted only when nobody has declared one for ten minutes', () => {
    const undeclared = { ...scene, specs: [] };

    expect(findLast(orphanInstances, at0And(10 * minute - 1, undeclared))).toEqual([]);
    expect(findLast(orphanInstances, at0And(10 * minute, undeclared))).toMatchObject([
      { action: 'adopt', runner: { state: 'starting' } },
    ]);
  });

  test('all of them are adopted, however many there are: NATS was wiped', () => {
    const runners = many(200, (index) => aRunner({ runnerId: `r${index}` }));
    const instances = runners.map((one) => anInstance(one));
    const registrations = runners.map((one) => aRegistration(one, { busy: true }));
    const found = findLast(orphanInstances, at0And(minute, { instances, registrations }));

    expect(found.filter(({ action }) => action === 'adopt')).toHaveLength(200);
  });
});

describe('a runner that no scale set declares', () => {
  const adopted = aLiving({ state: 'starting', adopted: { at, by: 'janitor j-1' } });

  test('is marked after ten minutes, to be agreed to', () => {
    const scene = { runners: [adopted], instances: [anInstance(adopted)], specs: [] };

    expect(findLast(orphanInstances, at0And(10 * minute - 1, scene))).toEqual([]);
    expect(told(findLast(orphanInstances, at0And(10 * minute, scene)))).toEqual([
      { mark: 'r1', reason: 'orphan', gate: 'github' },
    ]);
  });

  test('stays when somebody declares it again', () => {
    const scenes = at0And(10 * minute, { runners: [adopted], specs: [] });
    const declared = scenes.map((scene, index) =>
      index === 1 ? { ...scene, specs: [spec] } : scene,
    );

    expect(findLast(orphanInstances, declared)).toEqual([]);
  });

  test('is left to the janitor of its host', () => {
    const runners = [{ ...adopted, hostId: 'other' }];
    const scenes = at0And(10 * minute, { runners, specs: [], provider: { hostId: 'here' } });

    expect(findLast(orphanInstances, scenes)).toEqual([]);
  });
});
