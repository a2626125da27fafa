import { aRunner } from '@baton/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Runner, runnerSchema } from '../contracts/index.ts';
import type { Observation } from './observation.ts';
import {
  aLife,
  anObservation,
  apply,
  at,
  examples,
  progress,
  steps,
  takesBack,
} from './testing/lives.ts';
import { transition } from './transition.ts';

describe('a life of observations', () => {
  test('what is learned in any order is the same, once or twice, and so is how far it came', () => {
    const facts = ['instanceId', 'githubRunnerId', 'job', 'completedIn', 'exit', 'failure'];
    const lifetime = fc.record({
      kinds: fc.uniqueArray(
        fc.constantFrom(
          ...(['created', 'progress', 'online', 'seen-busy', 'job-started'] as const),
          ...(['job-completed', 'exited', 'lost', 'failed'] as const),
        ),
      ),
      exit: fc.constantFrom(0, 1, undefined),
      twice: fc.boolean(),
    });
    const orders = lifetime.chain(({ kinds, exit, twice }) => {
      const seen = kinds.map(
        (kind): Observation => (kind === 'exited' ? { kind, code: exit, at } : examples[kind]),
      );
      const all = twice ? [...seen, ...seen] : seen;
      const anyOrder = fc.shuffledSubarray(all, { minLength: all.length });
      return fc.tuple(anyOrder, anyOrder);
    });
    const live = (order: readonly Observation[]) =>
      order.reduce<Runner>((runner, one) => apply(runner, one), aRunner({ state: 'creating' }));
    const known = (runner: Runner) =>
      [...facts, 'progress', 'onlineAt'].map((fact) => [fact, Reflect.get(runner, fact)]);

    fc.assert(
      fc.property(orders, ([one, other]) => {
        const [first, second] = [live(one), live(other)];

        expect(known(first)).toEqual(known(second));
        // A failure that is heard of after it was seen online is kept, and fails nothing.
        if (!one.some(({ kind }) => kind === 'failed')) {
          expect(progress[first.state]).toBe(progress[second.state]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('every record that a life leads to can be read again', () => {
    fc.assert(
      fc.property(aLife, (life) => {
        const runner = steps(life).at(-1)?.after ?? aRunner();

        expect(runnerSchema.parse(JSON.parse(JSON.stringify(runner)))).toEqual(runner);
      }),
    );
  });

  test('never leaves marked or deleting but by being unmarked', () => {
    fc.assert(
      fc.property(aLife, (life) => {
        const left = steps(life).filter(
          ({ before, after, observation }) =>
            progress[before.state] >= progress.marked &&
            progress[after.state] < progress.marked &&
            observation.kind !== 'unmarked',
        );

        expect(left).toEqual([]);
      }),
    );
  });

  test('never moves backwards but by being postponed or unmarked', () => {
    fc.assert(
      fc.property(aLife, (life) => {
        const back = steps(life).filter(
          ({ before, after, observation }) =>
            progress[after.state] < progress[before.state] && !takesBack(observation.kind),
        );

        expect(back).toEqual([]);
      }),
    );
  });

  test('an observation that comes twice changes nothing the second time', () => {
    fc.assert(
      fc.property(aLife, anObservation, (life, observation) => {
        const before = steps(life).at(-1)?.after ?? aRunner();
        const once = apply(before, observation);

        const again = transition(once, observation, '2026-01-01T09:00:00.000Z');

        expect(again).toEqual({ kind: 'refused' });
      }),
    );
  });

  test('the first completion is kept for good', () => {
    fc.assert(
      fc.property(aLife, (life) => {
        const changed = steps(life).filter(
          ({ before, after }) =>
            before.completedIn !== undefined && after.completedIn !== before.completedIn,
        );
        const first = life.find(({ kind }) => kind === 'job-completed');

        expect(changed).toEqual([]);
        expect(steps(life).at(-1)?.after.completedIn).toEqual(
          first?.kind === 'job-completed' ? first.position : undefined,
        );
      }),
    );
  });

  test('who the runner is, its instance, its end and its failure never change once known', () => {
    const fixed = ['runnerId', 'name', 'scaleSetId', 'instanceId', 'githubRunnerId', 'exit', 'job'];

    fc.assert(
      fc.property(aLife, fc.constantFrom(...fixed), (life, key) => {
        const changed = steps(life).filter(
          ({ before, after }) =>
            key in before && Reflect.get(after, key) !== Reflect.get(before, key),
        );

        expect(changed).toEqual([]);
      }),
    );
  });

  test('a marked runner says why, one that is not marked does not', () => {
    fc.assert(
      fc.property(aLife, (life) => {
        const { state, mark: why } = steps(life).at(-1)?.after ?? aRunner();

        expect(why !== undefined).toBe(progress[state] >= progress.marked);
      }),
    );
  });

  test('does not change the runner that it was given', () => {
    fc.assert(
      fc.property(aLife, anObservation, (life, observation) => {
        const runner = steps(life).at(-1)?.after ?? aRunner();
        const copy = structuredClone(runner);

        transition(runner, observation, at);

        expect(runner).toEqual(copy);
      }),
    );
  });
});
