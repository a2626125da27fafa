import { runnerSchema } from '@baton/shared/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Finding } from '../sweep.ts';
import { finished } from './finished.ts';
import { lost } from './lost.ts';
import { neverRegistered } from './never-registered.ts';
import { offline } from './offline.ts';
import { orphanInstances } from './orphan-instances.ts';
import { orphanRegistrationsAt } from './orphan-registrations.ts';
import { stuckCreating } from './stuck-creating.ts';
import { look, spec, told, viewsOf } from './testing/scene.ts';
import { aWorld, scenesOf, type Thing, thingsOf, type World } from './testing/worlds.ts';

const orphanRegistrations = orphanRegistrationsAt({ orphanRegistrationMs: 600_000 });

const sweeps = [
  stuckCreating,
  neverRegistered,
  offline,
  lost,
  finished,
  orphanInstances,
  orphanRegistrations,
];
const runs = { numRuns: 200 };

/** All that all sweeps find in a world, with the thing that each is about. */
function findAll(world: World): { finding: Finding; thing: Thing | undefined; sweep: string }[] {
  const things = thingsOf(world);
  return sweeps.flatMap((sweep) =>
    look(sweep, scenesOf(world, [spec])).flatMap(({ findings }) =>
      findings.map((finding) => {
        const id = finding.action === 'deregister' ? finding.runnerId : finding.runner.runnerId;
        const thing = things.find(({ runner }) => runner.runnerId === id);
        return { finding, thing, sweep: sweep.name };
      }),
    ),
  );
}

function isRunning({ truth }: Thing): boolean {
  return truth.instance === 'starting' || truth.instance === 'running';
}

describe('in any world, whatever the lists leave out', { timeout: 30_000 }, () => {
  test('compute goes without GitHub’s word only when its end is recorded, or nobody began it', () => {
    fc.assert(
      fc.property(aWorld, (world) => {
        for (const { finding, thing } of findAll(world)) {
          if (finding.action !== 'mark' || finding.mark.gate === 'github') continue;
          const { exit, creator, instanceId, githubRunnerId, failure } = finding.runner;
          const untouched = [creator, instanceId, githubRunnerId].every((id) => id === undefined);
          const nothing = untouched && failure === undefined;

          expect(exit !== undefined || nothing).toBe(true);
          expect(thing?.truth.state).not.toBe('busy');
        }
      }),
      runs,
    );
  });

  test('a runner that runs is marked with gate none only by its own recorded end', () => {
    fc.assert(
      fc.property(aWorld, (world) => {
        const freed = findAll(world).filter(
          ({ finding, thing }) =>
            finding.action === 'mark' &&
            finding.mark.gate === 'none' &&
            thing !== undefined &&
            isRunning(thing) &&
            thing.runner.instanceId !== undefined &&
            thing.runner.exit === undefined,
        );

        expect(freed).toEqual([]);
      }),
      runs,
    );
  });

  test('what is adopted had no record, is whole, unmarked, and busy exactly when GitHub says so', () => {
    fc.assert(
      fc.property(aWorld, (world) => {
        for (const { finding, thing } of findAll(world)) {
          if (finding.action !== 'adopt') continue;
          const { runner } = finding;

          expect(thing?.truth).toMatchObject({ state: undefined, deleted: false });
          expect(runnerSchema.parse(JSON.parse(JSON.stringify(runner)))).toEqual(runner);
          expect(runner.mark).toBeUndefined();
          if (runner.state === 'busy') expect(thing?.truth.registration?.busy).toBe(true);
          if (runner.exit) expect(thing?.truth.instance).toBe('exited');
        }
      }),
      runs,
    );
  });

  test('only what is offline without a job, a record or a recent one is deregistered', () => {
    fc.assert(
      fc.property(aWorld, (world) => {
        for (const { finding, thing } of findAll(world)) {
          if (finding.action !== 'deregister') continue;

          expect(thing?.truth).toMatchObject({
            state: undefined,
            deleted: false,
            registration: { status: 'offline', busy: false },
          });
        }
      }),
      runs,
    );
  });

  test('one look finds nothing, however old everything is', () => {
    fc.assert(
      fc.property(aWorld, ({ truths, looks }) => {
        const scenes = scenesOf({ truths, looks: looks.slice(0, 1) }, [spec]);
        const found = sweeps.flatMap((sweep) => look(sweep, scenes)[0]?.findings ?? []);

        expect(found).toEqual([]);
      }),
      runs,
    );
  });

  test('what is not the same before and after the lists is left: it is being made, or goes', () => {
    fc.assert(
      fc.property(aWorld, (world) => {
        const moving = scenesOf(world, [spec]).map((scene) => ({ ...scene, before: [] }));
        const recorded = new Set(moving[0]?.runners?.map(({ runnerId }) => runnerId));
        const about = sweeps
          .flatMap((sweep) => look(sweep, moving).flatMap(({ findings }) => findings))
          .map((one) => (one.action === 'deregister' ? one.runnerId : one.runner.runnerId));

        expect(about.filter((id) => recorded.has(id))).toEqual([]);
      }),
      runs,
    );
  });

  test('lists that cannot be had, or are old, find nothing that would be on them', () => {
    fc.assert(
      fc.property(aWorld, fc.constantFrom('failed', 'stale'), (world, how) => {
        const looks = world.looks.map((one) => ({ ...one, instances: how, registrations: how }));
        const found = findAll({ ...world, looks }).map(({ sweep, finding }) => ({
          sweep,
          from: finding.action !== 'deregister' && finding.runner.state,
        }));

        for (const one of found) {
          expect([
            { sweep: 'finished', from: expect.any(String) as unknown },
            { sweep: 'stuck-creating', from: 'requested' },
          ]).toContainEqual(one);
        }
      }),
      runs,
    );
  });

  test('the clocks of other hosts decide nothing', () => {
    const skewed = fc.integer({ min: -86_400_000, max: 86_400_000 });
    fc.assert(
      fc.property(aWorld, skewed, (world, skewMs) => {
        const scenes = scenesOf(world, [spec]);
        const others = scenes.map((scene) => ({
          ...scene,
          runners: (scene.runners ?? []).map((runner) => ({
            ...runner,
            stateAt: new Date(Date.parse(runner.stateAt) + skewMs).toISOString(),
          })),
        }));
        const found = (seen: typeof scenes) =>
          sweeps.map((sweep) => look(sweep, seen).map(({ findings }) => told(findings)));

        expect(found(others)).toEqual(found(scenes));
      }),
      runs,
    );
  });

  test('the same views and memory give the same decision, and neither is changed', () => {
    fc.assert(
      fc.property(aWorld, (world) => {
        for (const sweep of sweeps) {
          const scenes = scenesOf(world, [spec]);
          const memory = look(sweep, scenes.slice(0, -1)).at(-1)?.memory ?? sweep.start;
          const last = scenes.at(-1);
          if (!last) continue;
          const [known, views] = [structuredClone(memory), viewsOf(last)];
          const first = sweep.decide(views, memory);

          expect(sweep.decide(viewsOf(last), structuredClone(known))).toEqual(first);
          expect(memory).toEqual(known);
          expect(views.after).toEqual(viewsOf(last).after);
        }
      }),
      runs,
    );
  });
});

test('every sweep finds something in some of these worlds', { timeout: 30_000 }, () => {
  const found = new Set<string>();
  for (const world of fc.sample(aWorld, { numRuns: 1_000, seed: 1 })) {
    if (found.size === 8) break;
    for (const { sweep, finding } of findAll(world)) found.add(`${sweep} ${finding.action}`);
  }

  expect([...found].toSorted()).toEqual([
    'finished mark',
    'lost mark',
    'never-registered mark',
    'offline mark',
    'orphan-instances adopt',
    'orphan-instances mark',
    'orphan-registrations deregister',
    'stuck-creating mark',
  ]);
});
