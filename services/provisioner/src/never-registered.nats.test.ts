import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRunner } from './create-runner.ts';
import { Bench } from './testing/bench.ts';
import { PlayingProvider } from './testing/playing-provider.ts';
import { RegistrationWatch } from './watch-registrations.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();

test('runners that never register are replaced, and tried one at a time from the second wave on', async () => {
  const spec = await bench.register('mute-image', { bootstrapTimeoutSeconds: 10 });
  const provider = new PlayingProvider();
  const provisioner = await bench.provisioner(provider);
  const watch = new RegistrationWatch(provisioner);
  const { scaleSetId } = spec;
  await bench.demand(spec, { assigned: 3 });
  const made: number[] = [];

  for (let wave = 0; wave < 3; wave += 1) {
    // Longer than any pause between two waves so far.
    await bench.clock.advance(10_000);
    await provisioner.planner.reconcile(scaleSetId);
    const before = provider.asked.length;
    for (const { state, runnerId } of await bench.runnersOf(spec)) {
      if (state !== 'requested') continue;
      await createRunner(provisioner, { v: 1, scaleSetId, runnerId }, signal);
    }
    made.push(provider.asked.length - before);
    await bench.clock.advance(10_001);
    await watch.look();
  }

  expect(made).toEqual([3, 3, 1]);
  expect(new Set(provider.asked.map(({ runnerName }) => runnerName)).size).toBe(7);
  const { conditions, runners } = await bench.planOf(spec);
  expect(runners).toEqual([]);
  const reason = 'registration: the runner did not come online in time';
  expect(conditions).toMatchObject([{ type: 'creation-failing' }]);
  expect(conditions?.[0]?.text).toContain(reason);
});
