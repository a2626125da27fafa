import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { SweepViews } from '../sweep.ts';
import { steadyRunners } from './steady-runners.ts';
import { aLiving, viewsOf } from './testing/scene.ts';

setFlagsFromString('--expose_gc');

/** What a look finds whose records of before are those of after of the look before it. */
function lookAfter(before: SweepViews['before'], index: number): SweepViews {
  const runners = [aLiving({ runnerId: `r${index}` })];
  return { ...viewsOf({ atMs: 0, runners }), before };
}

test('asked twice about the same records, it finds the same list', () => {
  const views = viewsOf({ atMs: 0, runners: [aLiving({})] });

  expect(steadyRunners(views)).toHaveLength(1);
  expect(steadyRunners({ ...views })).toBe(steadyRunners(views));
});

test('a look that goes on from an earlier one does not hold the records of all before it', async () => {
  let { after } = viewsOf({ atMs: 0, runners: [aLiving({})] });
  const first = new WeakRef(after.items);
  for (let index = 0; index < 10; index += 1) {
    const views = lookAfter(after, index);
    steadyRunners(views);
    ({ after } = views);
  }

  // A WeakRef holds what it was made for until the end of the turn.
  await new Promise((resolve) => setImmediate(resolve));
  runInNewContext('gc()');

  expect(after.items).toHaveLength(1);
  expect(first.deref()).toBeUndefined();
});
