import { sweepSubject } from '@baton/shared/contracts';
import { askSweep } from '@baton/shared/messaging';
import { openLeases } from '@baton/shared/stores';
import { systemClock } from '@baton/shared/time';
import { eventually, startNatsProxy } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { TestSet } from '../testing/bench.ts';
import { answerSweeps } from './sweep-answers.ts';
import type { SweepLeader } from './sweep-leader.ts';
import { GivenProvider } from './testing/given-provider.ts';
import { finding, markOf, missing } from './testing/missing.ts';
import { SweepBench, type Sweeper } from './testing/sweep-bench.ts';

let world: SweepBench;
let set: TestSet;

beforeAll(async () => {
  world = await SweepBench.start();
  set = await world.bench.register('led');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await world.clear();
});

const usual = { clock: systemClock, everyMs: 200, timeoutMs: 5_000 };

/** Has it contend until the test is over, or the returned function is called. */
function contend(leader: SweepLeader): () => Promise<void> {
  const stop = new AbortController();
  const running = leader.run(stop.signal);
  const end = async () => {
    stop.abort();
    await running;
  };
  onTestFinished(end);
  return end;
}

async function idle(runnerId: string) {
  return await world.bench.record(set, { runnerId, state: 'idle', mark: undefined });
}

/** The process stops at this moment: nothing of it reaches NATS any more. */
async function kill({ nats }: Sweeper): Promise<void> {
  await nats.connection.close();
}

describe('the leader of a sweep', () => {
  test('is one, and the others take over when it gives the lease back', async () => {
    const sweep = finding(() => []);
    const [a, b] = [await world.sweeper(usual), await world.sweeper(usual)];
    const leaders = [world.leader(a, sweep), world.leader(b, sweep)];
    const endA = contend(leaders[0] as SweepLeader);
    await eventually(() => expect(leaders[0]?.leads).toBe(true));
    contend(leaders[1] as SweepLeader);

    await eventually(async () =>
      expect(await world.state({ part: world.partOf(a, sweep) })).toBeDefined(),
    );
    const before = leaders.map((leader) => leader.leads);
    await endA();
    await eventually(() => expect(leaders[1]?.leads).toBe(true), { timeoutMs: 15_000 });

    expect(before).toEqual([true, false]);
    expect(leaders[0]?.leads).toBe(false);
    await eventually(async () => {
      expect((await world.state({ part: world.partOf(b, sweep) }))?.by).toBe(b.instance);
    });
  });

  test('begins to observe anew when it follows one that was killed', async () => {
    const provider = new GivenProvider();
    const options = { ...usual, providers: new Map([['local', provider]]) };
    const [a, b] = [
      await world.sweeper(options),
      await world.sweeper({ ...options, everyMs: 60_000 }),
    ];
    const gone = await idle('anew1');
    const first = world.led(a, missing);
    await world.run(a, first);
    await kill(a);
    const second = world.leader(b, missing);
    contend(second);
    await eventually(() => expect(second.leads).toBe(true));

    const once = await second.runNow({ dryRun: false, timeoutMs: 5_000 });
    const stateOnce = (await world.bench.read(gone))?.state;
    const twice = await second.runNow({ dryRun: false, timeoutMs: 5_000 });

    expect(once.left).toMatchObject({ 'seen once': 1 });
    expect(stateOnce).toBe('idle');
    expect(twice.acted.mark).toBe(1);
  });

  test('does nothing any more once its lease is lost in the middle of a run', async () => {
    const provider = new GivenProvider();
    const sweeper = await world.sweeper({
      ...usual,
      everyMs: 60_000,
      providers: new Map([['local', provider]]),
    });
    const runner = await idle('lost1');
    const leader = world.leader(sweeper, missing);
    contend(leader);
    await eventually(() => expect(leader.leads).toBe(true));
    await leader.runNow({ dryRun: false, timeoutMs: 5_000 });
    const before = await world.state(leader);
    const leases = await openLeases(await world.bench.nats.connect('admin'));
    provider.takes = async () => {
      // Somebody else takes the lease over while the list is read; it is told at the next renewal.
      const entry = await leases.get('sweep.lost');
      await leases.update(
        'sweep.lost',
        { v: 1, identity: 'x', incarnation: 'x' },
        entry?.revision ?? 0,
      );
      await eventually(() => expect(leader.leads).toBe(false), { timeoutMs: 10_000 });
    };

    const running = leader.runNow({ dryRun: false, timeoutMs: 15_000 });

    await expect(running).rejects.toThrow('lease lost');
    expect((await world.bench.read(runner))?.state).toBe('idle');
    expect(await world.state(leader)).toEqual(before);
  }, 20_000);

  test('marks nothing while NATS is cut off, and nothing of it afterwards', async () => {
    await using proxy = await startNatsProxy(world.bench.nats.url);
    const provider = new GivenProvider();
    const providers = new Map([['local', provider]]);
    const sweeper = await world.sweeper({ ...usual, everyMs: 60_000, url: proxy.url, providers });
    const runner = await idle('cut1');
    const leader = world.leader(sweeper, missing);
    contend(leader);
    await eventually(() => expect(leader.leads).toBe(true), { timeoutMs: 15_000 });
    await leader.runNow({ dryRun: false, timeoutMs: 5_000 });
    provider.takes = async () => {
      proxy.setMode({ kind: 'partition' });
      await Promise.resolve();
    };

    const running = leader.runNow({ dryRun: false, timeoutMs: 5_000 });

    await expect(running).rejects.toThrow();
    proxy.setMode({ kind: 'pass' });
    expect((await world.bench.read(runner))?.state).toBe('idle');
  }, 30_000);

  test('ends a run at its deadline, says so, and goes on', async () => {
    const provider = new GivenProvider();
    const providers = new Map([['local', provider]]);
    const sweeper = await world.sweeper({ ...usual, everyMs: 60_000, providers });
    const leader = world.leader(sweeper, missing);
    contend(leader);
    await eventually(() => expect(leader.leads).toBe(true), { timeoutMs: 15_000 });
    provider.takes = (signal) => systemClock.sleep(60_000, signal);

    const late = leader.runNow({ dryRun: false, timeoutMs: 1_000 });
    await expect(late).rejects.toThrow('sweep lost took longer than 1000 ms');
    const problem = (await world.state(leader))?.problem;
    provider.takes = () => Promise.resolve();

    expect(problem).toContain('took longer');
    expect(leader.leads).toBe(true);
  }, 20_000);
});

describe('asking for a run', () => {
  async function anAnswering(leads: boolean, { guarded = false, more = 0 } = {}) {
    const sweeper = await world.sweeper({ ...usual, everyMs: 60_000 });
    const runner = await idle('asked1');
    const others = Array.from({ length: more }, (_, index) => ({
      ...runner,
      runnerId: `${runner.runnerId}-${index}`,
    }));
    const marks = [runner, ...others].map((one) => markOf(one, { reason: 'lost', gate: 'github' }));
    const sweep = finding(() => marks, { guarded });
    const leader = world.leader(sweeper, sweep);
    if (leads) {
      contend(leader);
      await eventually(() => expect(leader.leads).toBe(true), { timeoutMs: 15_000 });
    }
    answerSweeps(sweeper.nats, { leaders: [leader], ...sweeper });
    onTestFinished(() => kill(sweeper));
    return { sweeper, runner };
  }
  const ask = async (dryRun: boolean) =>
    await askSweep(await world.bench.nats.connect('cli'), {
      ...{ sweep: 'finished', dryRun, timeoutMs: 5_000 },
    });

  test('the leader answers what it would do, then does it when it is to', async () => {
    const { sweeper, runner } = await anAnswering(true);

    const dry = await ask(true);
    const stateAfterDry = (await world.bench.read(runner))?.state;
    const real = await ask(false);

    const finished = { instance: sweeper.instance, hostId: undefined };
    expect(dry).toMatchObject({
      idle: 0,
      parts: [{ ...finished, end: { kind: 'done', count: 1, lookedAt: 1 } }],
    });
    expect(dry.parts[0]?.end?.findings).toMatchObject([{ action: 'mark', runnerId: 'asked1' }]);
    expect(stateAfterDry).toBe('idle');
    expect(real.parts[0]?.end).toMatchObject({ kind: 'done', count: 1 });
    expect((await world.bench.read(runner))?.state).toBe('marked');
  });

  test('a hold of very many leaves less room for findings, and the answer comes', async () => {
    await anAnswering(true, { guarded: true, more: 30_000 });

    const { parts } = await ask(true);

    expect(parts).toMatchObject([{ end: { kind: 'done', count: 30_001 } }]);
    expect(parts[0]?.end?.hold?.runnerIds).toHaveLength(30_001);
    expect(parts[0]?.end?.findings?.length).toBeGreaterThan(0);
  });

  test('who does not lead says so', async () => {
    await anAnswering(false);

    expect(await ask(true)).toEqual({ idle: 1, parts: [] });
  });

  test('nobody is there: known at once', async () => {
    const startMs = systemClock.monotonic();

    expect(await ask(true)).toEqual({ idle: 0, parts: [] });
    expect(systemClock.monotonic() - startMs).toBeLessThan(1_400);
  });

  test('what is no question is passed over', async () => {
    const { sweeper } = await anAnswering(true);
    const cli = await world.bench.nats.connect('cli');
    cli.connection.publish(sweepSubject, '{"v":1,"sweep":"everything"}', { reply: '_INBOX_cli.x' });
    cli.connection.publish(sweepSubject, 'no json', { reply: '_INBOX_cli.x' });

    expect((await ask(true)).parts).toHaveLength(1);
    expect(sweeper.nats.connection.isClosed()).toBe(false);
  });
});
