import type { Runner } from '@baton/shared/contracts';
import { eventually } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bench, type Janitor } from '../testing/bench.ts';
import { WatchedProvider } from '../testing/watched-provider.ts';
import { absentMs } from './core/next-step.ts';
import { markedPass } from './marked-pass.ts';
import { consumeDeletes } from './serve-deletes.ts';

let bench: Bench;
let provider: WatchedProvider;
let janitor: Janitor;

beforeAll(async () => {
  bench = await Bench.start();
  provider = new WatchedProvider(bench.provider);
  janitor = await bench.janitor(provider);
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();
const idsOf = ({ scaleSetId, runnerId }: Runner) => ({ scaleSetId, runnerId });
const creator = { v: 1 as const, identity: 'provisioner-0', incarnation: 'gone' };

test('a runner that takes a job between the decision and the deletion stays, whatever an old copy says', async () => {
  const set = await bench.register('took-a-job');
  const runner = await bench.running(set, 'github');
  await janitor.copy.sync();
  const { mark: _mark, ...busy } = runner;
  await bench.giveJob(set);
  await bench.rewrite({ ...busy, state: 'busy' });

  await bench.delete(janitor, runner);

  expect(await bench.read(runner)).toEqual({ ...busy, state: 'busy' });
  expect(await bench.hasInstance(runner)).toBe(true);
  expect(await bench.isRegistered(runner)).toBe(true);
  expect(await bench.events(runner)).toEqual([]);
});

test('a record that was written since the copy was read goes, and is not tried over and over', async () => {
  const set = await bench.register('written-since');
  const runner = await bench.record(set);
  await janitor.copy.sync();
  await bench.rewrite({ ...runner, failure: { class: 'lost', text: 'gone' } });

  janitor.queue.offer('provider local', { v: 1, ...idsOf(runner) });
  await janitor.queue.idle();

  expect(await bench.read(runner)).toBeUndefined();
});

test('a busy runner stays although its record is an old copy, from before it got its name', async () => {
  const set = await bench.register('renamed-since');
  const { githubRunnerId, instanceId, ...running } = await bench.running(set, 'github');
  const runner = await bench.rewrite({ ...running, name: `${running.name}-before`, creator });
  await bench.giveJob(set);

  await bench.delete(janitor, runner);
  await bench.clock.advance(absentMs);
  await bench.delete(janitor, runner);

  expect(githubRunnerId).toBeDefined();
  expect(provider.deleted).not.toContain(instanceId);
  expect(await bench.hasInstance(runner)).toBe(true);
  expect(await bench.read(runner)).toMatchObject({ state: 'busy' });
});

test('a runner whose job is told to be over while it runs stays until GitHub lets it go', async () => {
  const set = await bench.register('told-too-early');
  const runner = await bench.running(set, 'github');
  const position = { epoch: 1, seq: 1 };
  await bench.rewrite({ ...runner, completedIn: position });
  await bench.giveJob(set);

  await bench.delete(janitor, runner);

  expect(await bench.read(runner)).toMatchObject({ state: 'completed', completedIn: position });
  expect(await bench.hasInstance(runner)).toBe(true);
});

describe('a provider that is consistent only after a while', () => {
  test('is asked to delete once, although it goes on listing the instance', async () => {
    const runner = await bench.running(await bench.register('lingers'), 'none');
    provider.lingers = true;
    await provider.list(signal);

    await bench.delete(janitor, runner);
    await bench.delete(janitor, runner);
    provider.lingers = false;

    expect(provider.deleted.filter((id) => id === runner.instanceId)).toHaveLength(1);
    expect(await bench.read(runner)).toBeUndefined();
  });

  test('is asked again for an instance that it lists late, before the record goes', async () => {
    const { instanceId, ...rest } = await bench.running(await bench.register('late'), 'none');
    const runner = await bench.rewrite({ ...rest, creator });
    provider.hides = true;

    await bench.delete(janitor, runner);
    const waiting = await bench.read(runner);
    const toldMeanwhile = await bench.isRegistered(runner);
    provider.hides = false;
    await bench.clock.advance(absentMs);
    await bench.delete(janitor, runner);

    expect(instanceId).toBeDefined();
    expect(waiting?.deletion).toMatchObject({ instanceDeleted: false, deregistered: true });
    expect(toldMeanwhile).toBe(false);
    expect(await bench.hasInstance(runner)).toBe(false);
    expect(await bench.read(runner)).toBeUndefined();
  });

  test('is believed when two lists five seconds apart do not have it', async () => {
    const set = await bench.register('never-made');
    const runner = await bench.record(set, { creator });

    await bench.delete(janitor, runner);
    const once = await bench.read(runner);
    await bench.clock.advance(absentMs - 1);
    await bench.delete(janitor, runner);
    const early = await bench.read(runner);
    await bench.clock.advance(1);
    await bench.delete(janitor, runner);

    expect(once?.deletion?.absentAt).toBeDefined();
    expect(early).toEqual(once);
    expect(await bench.read(runner)).toBeUndefined();
  });

  test('is not asked in a circle by who finds its list too old', async () => {
    const set = await bench.register('asked-too-early');
    const runner = await bench.record(set, { creator });
    await bench.delete(janitor, runner);
    await bench.clock.advance(absentMs - 1);
    await janitor.instances.get(provider);
    await bench.clock.advance(1);

    await bench.delete(janitor, runner);
    const early = await bench.read(runner);
    await bench.clock.advance(1_000);
    await bench.delete(janitor, runner);

    expect(early?.deletion).toMatchObject({ instanceDeleted: false });
    expect(await bench.read(runner)).toBeUndefined();
  });

  test('shares one list among all who look for their instance', async () => {
    const set = await bench.register('many-unknown');
    const ids = Array.from({ length: 40 }, (_, n) => `unknown${n}`);
    const runners = await Promise.all(
      ids.map((runnerId) => bench.record(set, { runnerId, creator })),
    );
    await bench.clock.advance(1_000);
    const before = provider.lists;

    await Promise.all(runners.map((runner) => bench.delete(janitor, runner)));
    await bench.clock.advance(absentMs);
    await Promise.all(runners.map((runner) => bench.delete(janitor, runner)));

    expect(await bench.runners.list(set.spec.scaleSetId)).toEqual([]);
    expect(provider.lists - before).toBe(2);
  });
});

describe('two janitors', () => {
  test('share hundreds of deletions, and each is told of once', { timeout: 60_000 }, async () => {
    const set = await bench.register('shared');
    const ids = Array.from({ length: 300 }, (_, n) => `shared${n}`);
    const stateAt = new Date(bench.clock.now() - 10_000).toISOString();
    const runners = await Promise.all(
      ids.map((runnerId) => bench.record(set, { runnerId, stateAt, instanceId: runnerId })),
    );
    const stop = new AbortController();
    const janitors = [await bench.janitor(provider), await bench.janitor(provider)];
    const signals = { signal: stop.signal, abort: signal };
    const serving = janitors.map((one) => consumeDeletes(one.nats, one, one.queue, signals));

    await Promise.all(janitors.map((one) => markedPass({ ...one, signal })));
    await eventually(
      async () => expect(await bench.runners.list(set.spec.scaleSetId)).toEqual([]),
      { timeoutMs: 30_000 },
    );
    stop.abort();
    await Promise.all(serving);

    const asked = provider.deleted.filter((id) => id.startsWith('shared'));
    expect(new Set(asked).size).toBe(300);
    expect(asked).toHaveLength(300);
    for (const runner of [runners[0], runners[299]]) {
      expect(runner && (await bench.events(runner))).toEqual(['runner.deleted']);
    }
  });

  test('one leaves alone what the other is at for long, and takes it over when that one dies', async () => {
    const slow = new WatchedProvider(bench.provider);
    const began = Promise.withResolvers<void>();
    const dying = new AbortController();
    slow.delete = () => {
      began.resolve();
      return new Promise(() => undefined);
    };
    const set = await bench.register('claimed');
    const runner = await bench.running(set, 'none');
    const stateAt = new Date(bench.clock.now() - 10_000).toISOString();
    await bench.rewrite({ ...runner, stateAt });
    const first = await bench.janitor(slow, { abort: dying.signal });

    const deleting = bench.delete(first, runner);
    await began.promise;
    await bench.clock.advance(1_000);
    const claimed = await eventually(async () => {
      const record = await bench.read(runner);
      expect(record?.deletion?.claim).toMatchObject({ by: `janitor ${first.instance}` });
      return record;
    });
    await bench.delete(janitor, runner);
    const asked = await markedPass({ ...janitor, signal });
    const untouched = await bench.read(runner);
    dying.abort();
    await deleting;
    await bench.clock.advance(10_000);
    await bench.delete(janitor, runner);

    expect(asked).toBe(0);
    expect(untouched).toEqual(claimed);
    expect(await bench.hasInstance(runner)).toBe(false);
    expect(await bench.read(runner)).toBeUndefined();
  });

  test('one that stops hands over what it has not begun', async () => {
    const hanging = new WatchedProvider(bench.provider);
    hanging.delete = () => new Promise(() => undefined);
    const set = await bench.register('handed-over');
    const abort = new AbortController();
    const stopping = await bench.janitor(hanging, { deleteConcurrency: 1, abort: abort.signal });
    const runners = await Promise.all(
      ['first', 'second'].map((runnerId) =>
        bench.record(set, { runnerId: `over${runnerId}`, instanceId: `i-${runnerId}` }),
      ),
    );
    const [first, second] = runners;
    if (!first || !second) throw new Error('there are two');
    void bench.delete(stopping, first);
    await eventually(() => expect(stopping.queue.has(first.runnerId)).toBe(true));
    void bench.delete(stopping, second);
    await eventually(() => expect(stopping.queue.has(second.runnerId)).toBe(true));

    stopping.queue.stop();
    await eventually(async () => expect(await bench.commands(second)).toHaveLength(1));
    abort.abort();
    await stopping.queue.idle();

    expect(await bench.commands(first)).toEqual([]);
    expect(stopping.queue.has(second.runnerId)).toBe(false);
  });
});
