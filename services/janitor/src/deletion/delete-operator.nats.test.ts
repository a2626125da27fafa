import { ProviderError } from '@baton/providers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bench, type Janitor } from '../testing/bench.ts';
import { WatchedProvider } from '../testing/watched-provider.ts';

let bench: Bench;
let janitor: Janitor;

beforeAll(async () => {
  bench = await Bench.start();
  janitor = await bench.janitor();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

/** An operator's word of now. */
function alice(word: { force?: boolean; hostGone?: boolean } = {}) {
  return { by: 'operator alice', at: new Date(bench.clock.now()).toISOString(), ...word };
}

describe('an operator', () => {
  test.each(['idle', 'starting', 'lost', 'failed'] as const)(
    'deletes a runner that is %s',
    async (state) => {
      const set = await bench.register(`by-hand-${state}`);
      const { mark: _mark, ...runner } = await bench.running(set, 'github');
      await bench.rewrite({ ...runner, state });

      await bench.delete(janitor, runner, alice());

      expect(await bench.read(runner)).toBeUndefined();
      expect(await bench.hasInstance(runner)).toBe(false);
      expect(await bench.told(runner)).toMatchObject([
        { type: 'runner.marked', reason: 'operator', by: 'operator alice' },
        { type: 'runner.deleted', by: 'operator alice', gate: 'github', attempts: 0 },
      ]);
    },
  );

  test('does not end a job without force: the runner stays, and its record says why', async () => {
    const set = await bench.register('by-hand-busy');
    const { mark: _mark, ...runner } = await bench.running(set, 'github');
    await bench.rewrite({ ...runner, state: 'busy' });
    await bench.giveJob(set);
    const word = alice();

    await bench.delete(janitor, runner, word);
    await bench.delete(janitor, runner, word);

    expect(await bench.read(runner)).toMatchObject({
      state: 'busy',
      kept: { markedAt: word.at, reason: 'operator', text: 'GitHub says that it runs a job' },
    });
    expect(await bench.hasInstance(runner)).toBe(true);
    expect(await bench.events(runner)).toEqual(['runner.marked', 'runner.kept']);
  });

  test('ends one with force, and its registration stays owed', async () => {
    const set = await bench.register('by-force');
    const { mark: _mark, ...runner } = await bench.running(set, 'github');
    await bench.rewrite({ ...runner, state: 'busy' });
    await bench.giveJob(set);

    await bench.delete(janitor, runner, alice({ force: true }));

    expect(await bench.hasInstance(runner)).toBe(false);
    expect(await bench.read(runner)).toMatchObject({
      state: 'deleting',
      mark: { reason: 'operator', gate: 'none' },
      deletion: { instanceDeleted: true, deregistered: false },
    });
  });

  test('opens with force the gate of a runner that waits for GitHub, at once', async () => {
    const runner = await bench.running(await bench.register('waits-for-github'), 'github');
    await bench.sim.control.outage(600_000);

    await bench.delete(janitor, runner);
    const waiting = await bench.hasInstance(runner);
    await bench.delete(janitor, runner, alice({ force: true }));
    const forced = await bench.hasInstance(runner);
    await bench.sim.control.clearFaults();

    expect({ waiting, forced }).toEqual({ waiting: true, forced: false });
    expect(await bench.events(runner)).toEqual(['runner.marked']);
  });

  test('has a runner of a host that is gone finished by any janitor, without its provider', async () => {
    const broken = new WatchedProvider(bench.provider);
    const refuse = () => Promise.reject(new ProviderError('transient', 'no such host'));
    broken.delete = refuse;
    broken.list = refuse;
    const other = await bench.janitor(broken);
    const runner = await bench.running(await bench.register('host-gone'), 'github');
    await bench.rewrite({ ...runner, hostId: 'a-host-that-burnt' });

    await bench.delete(other, runner);
    const untouched = await bench.read(runner);
    await bench.delete(other, runner, alice({ hostGone: true }));

    expect(untouched).not.toHaveProperty('deletion');
    expect(await bench.read(runner)).toBeUndefined();
    expect(await bench.isRegistered(runner)).toBe(false);
    expect(await bench.hasInstance(runner)).toBe(true);
  });

  test('is not heard about a runner that is gone', async () => {
    const set = await bench.register('gone-before');
    const runner = await bench.record(set);
    await bench.delete(janitor, runner);

    const outcome = await bench.delete(janitor, runner, alice());

    expect(outcome).toEqual({ kind: 'done' });
    expect(await bench.events(runner)).toEqual(['runner.deleted']);
  });
});
