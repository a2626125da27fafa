import type { InstanceState } from '@baton/providers';
import { type Runner, runnerStates } from '@baton/shared/contracts';
import { aRunner, at } from '@baton/testkit';
import fc from 'fast-check';
import { anInstance, aRegistration, type Scene } from './scene.ts';

const creator = { v: 1, identity: 'provisioner-0', incarnation: 'a' } as const;
const mark = { reason: 'surplus', gate: 'github', by: 'provisioner-0', at } as const;

/** What is true of one runner, or of what is left of it. */
const anyTruth = fc.record({
  /** Absent: nothing in NATS knows of it. */
  state: fc.option(fc.constantFrom(...runnerStates), { nil: undefined }),
  begun: fc.boolean(),
  exit: fc.option(fc.constantFrom(0, 1), { nil: undefined }),
  completedIn: fc.boolean(),
  instance: fc.option(fc.constantFrom<InstanceState>('starting', 'running', 'exited'), {
    nil: undefined,
  }),
  registration: fc.option(
    fc.record({
      status: fc.constantFrom('online', 'offline', undefined),
      busy: fc.constantFrom(true, false, undefined),
    }),
    { nil: undefined },
  ),
  deleted: fc.boolean(),
});
/** Of chance alone too few worlds would have what is left of a runner that is gone. */
const aTruth = fc.oneof(
  { weight: 4, arbitrary: anyTruth },
  anyTruth.map((truth) => ({ ...truth, state: undefined, deleted: false })),
  anyTruth.map((truth) => ({
    ...truth,
    ...{ state: undefined, deleted: false, instance: undefined },
    registration: { status: 'offline' as const, busy: false },
  })),
);
export type Truth = typeof aTruth extends fc.Arbitrary<infer T> ? T : never;

/** What became of a list on its way: as it is, cut short, empty, from long ago, or not to be had. */
const aList = fc.oneof(
  { weight: 4, arbitrary: fc.constant('honest' as const) },
  fc.constantFrom('cut' as const, 'empty' as const, 'stale' as const, 'failed' as const),
);
const aLook = fc.record({
  afterMs: fc.constantFrom(1, 30_000, 60_000, 300_000, 600_000, 900_000, 3_600_000),
  instances: aList,
  registrations: aList,
  declared: fc.boolean(),
});

export const aWorld = fc.record({
  truths: fc.array(aTruth, { minLength: 1, maxLength: 8 }),
  looks: fc.array(aLook, { minLength: 2, maxLength: 10 }),
});
export type World = typeof aWorld extends fc.Arbitrary<infer T> ? T : never;

export interface Thing {
  truth: Truth;
  runner: Runner;
}

export function thingsOf({ truths }: Pick<World, 'truths'>): Thing[] {
  return truths.map((truth, index) => ({ truth, runner: runnerOf(truth, index) }));
}

function runnerOf({ state = 'requested', begun, exit, completedIn }: Truth, index: number): Runner {
  const runnerId = `aaaaaaaaa${'abcdefgh'[index] ?? ''}`;
  const made = begun || !['requested', 'creating'].includes(state);
  return aRunner({
    runnerId,
    state,
    ...(begun ? { creator } : {}),
    ...(made && state !== 'requested' ? { instanceId: `i-${index}`, githubRunnerId: index } : {}),
    ...(exit === undefined || !hasEnded(state) ? {} : { exit: { code: exit, at } }),
    ...(completedIn && state === 'completed' ? { completedIn: { epoch: 1, seq: 1 } } : {}),
    ...(state === 'marked' || state === 'deleting' ? { mark } : {}),
  });
}

function hasEnded(state: Runner['state']): boolean {
  return ['completed', 'failed', 'marked', 'deleting'].includes(state);
}

/** What one leader is shown, look by look. */
export function scenesOf(world: World, specs: NonNullable<Scene['specs']>): Scene[] {
  const things = thingsOf(world);
  const instances = things.flatMap(({ truth: { instance: state }, runner }, index) =>
    state === undefined ? [] : [anInstance(runner, { state, instanceId: `i-${index}` })],
  );
  const registrations = things.flatMap(({ truth: { registration }, runner }, index) =>
    registration ? [aRegistration({ ...runner, githubRunnerId: index }, registration)] : [],
  );
  let atMs = 0;
  return world.looks.map((look) => {
    atMs += look.afterMs;
    return {
      atMs,
      runners: things.filter(({ truth }) => truth.state !== undefined).map(({ runner }) => runner),
      instances: distorted(instances, look.instances),
      registrations: distorted(registrations, look.registrations),
      deleted: things.filter(({ truth }) => truth.deleted).map(({ runner }) => runner.runnerId),
      specs: look.declared ? specs : [],
      staleMs: look.instances === 'stale' || look.registrations === 'stale' ? 200_000 : 0,
    };
  });
}

function distorted<T>(list: readonly T[], how: World['looks'][number]['instances']) {
  if (how === 'failed') return 'failed' as const;
  if (how === 'empty') return [];
  return how === 'cut' ? list.slice(0, Math.floor(list.length / 2)) : list;
}
