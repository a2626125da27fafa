import type { FaultRuleInput } from '@baton/github-sim';
import { eventually } from '@baton/testkit';
import { describe, expect, onTestFailed, test } from 'vitest';
import { patient, type Scene, startScene } from './listener-fixture.ts';

/** Well below the deadline of any call to GitHub: nobody has waited for one. */
const prompt = { timeoutMs: 15_000, everyMs: 50 };
const bad = 'set-7';
const names = Array.from({ length: 20 }, (_, n) => `set-${n}`);
const good = names.filter((name) => name !== bad);

type Action = FaultRuleInput['action'];

const error = (status: number): Action => ({ kind: 'status', status, body: 'broken' });
const troubles: [string, Action][] = [
  ['500', error(500)],
  ['503', error(503)],
  ['nothing', { kind: 'hang' }],
];

async function trouble({ sim }: Scene, route: FaultRuleInput['route'], action: Action) {
  const id = await sim.addFault({ route, scaleSet: bad, action });
  return async () => (await sim.state()).faults.find((fault) => fault.id === id)?.hits;
}

async function startOne(scene: Scene) {
  const listener = scene.listener('listener-a');
  onTestFailed(() => void process.stderr.write(listener.stderr));
  await eventually(async () => {
    const { scaleSets } = await scene.sim.state();
    const held = scaleSets.filter(({ session }) => session?.held).map(({ name }) => name);
    expect(held.sort()).toEqual(expect.arrayContaining([...good].sort()));
  }, prompt);
}

/** A job for every scale set is known, once, and its message deleted, but for the bad one. */
async function expectOthersServed({ sim, facts, undeleted }: Scene): Promise<void> {
  const ids = new Map<string, string>();
  for (const scaleSet of names) {
    const [id = ''] = await sim.addJobs({ scaleSet });
    ids.set(scaleSet, id);
  }
  await eventually(async () => {
    for (const name of good) {
      expect(await facts(name), name).toEqual([`job.assigned ${ids.get(name)}`]);
      expect(await undeleted(name), name).toBe(0);
    }
  }, prompt);
  expect(await facts(bad)).toEqual([]);
}

describe('of twenty scale sets nineteen are served while GitHub answers', () => {
  test.each(troubles)('%s to the opening of the session of one', async (_answer, action) => {
    await using scene = await startScene({ scaleSets: names });
    const hits = await trouble(scene, 'createSession', action);
    await startOne(scene);

    await expectOthersServed(scene);

    expect(await hits()).toBeGreaterThan(0);
    expect(await scene.session(bad)).toBeUndefined();
  });

  test.each(troubles)('%s to the polls of one', async (_answer, action) => {
    await using scene = await startScene({ scaleSets: names });
    const hits = await trouble(scene, 'getMessage', action);
    await startOne(scene);

    await expectOthersServed(scene);

    expect(await hits()).toBeGreaterThan(0);
    expect(await scene.session(bad)).toMatchObject({ held: false });
  });

  test('500 to every call about one, and that one too when GitHub has recovered', async () => {
    await using scene = await startScene({ scaleSets: names });
    const hits = await trouble(scene, '*', error(500));
    await startOne(scene);
    await expectOthersServed(scene);
    expect(await hits()).toBeGreaterThan(0);

    await scene.sim.clearFaults();

    await eventually(async () => expect(await scene.facts(bad)).toHaveLength(1), patient);
    await eventually(async () => expect(await scene.undeleted(bad)).toBe(0), patient);
  });
});
