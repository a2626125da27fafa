import { systemClock } from '@baton/shared/time';
import { eventually, type PublishHook, startNatsProxy } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bench, type Janitor } from '../testing/bench.ts';
import { markedPass } from './marked-pass.ts';

let bench: Bench;
let survivor: Janitor;

beforeAll(async () => {
  bench = await Bench.start();
  survivor = await bench.janitor(bench.provider, { clock: systemClock });
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const { signal } = new AbortController();
const patient = { timeoutMs: 40_000 };

/** The writes of a deletion, in their order: how far it came, that it is over, and the record's removal. */
const writes = {
  progress: { match: isRecord, number: 1 },
  event: { match: (subject: string) => subject.startsWith('baton.v1.event.janitor.'), number: 1 },
  removal: { match: isRecord, number: 2 },
} as const;

function isRecord(subject: string): boolean {
  return subject.startsWith('$KV.baton-runners.');
}

const cases = (['none', 'github'] as const).flatMap((gate) =>
  (['progress', 'event', 'removal'] as const).flatMap((write) =>
    (['before', 'after-reply-withheld'] as const).map((when) => ({ gate, write, when })),
  ),
);

/** Kills the janitor's process at one of its writes. */
async function killedAt(write: keyof typeof writes, when: PublishHook['when']): Promise<void> {
  await using proxy = await startNatsProxy(bench.natsUrl);
  await using victim = await bench.process(proxy.url);
  const killed = Promise.withResolvers<void>();
  const { match, number } = writes[write];
  let seen = 0;
  proxy.onPublish({
    match,
    when,
    hook: (subject) => {
      seen += 1;
      if (seen < number) return Promise.resolve('go on');
      victim.signal('SIGKILL');
      void victim.exited().then(() => killed.resolve());
      return subject ? killed.promise.then(() => 'cut') : Promise.resolve('cut');
    },
  });
  await eventually(async () => {
    await Promise.race([killed.promise, systemClock.sleep(50)]);
    expect(seen, victim.stderr).toBeGreaterThanOrEqual(number);
  }, patient);
  await killed.promise;
}

describe('a janitor that is killed', { timeout: 90_000 }, () => {
  test.each(cases)(
    'at the write of its $write ($when, gate $gate) is followed by one that finishes',
    async ({ gate, write, when }) => {
      const name = `kill-${gate}-${write}-${when.slice(0, 5)}`;
      const runner = await bench.running(await bench.register(name), gate);
      // Bound to this host: its janitor's pass takes it without a command.
      await bench.rewrite({ ...runner, hostId: bench.provider.hostId });

      await killedAt(write, when);
      await eventually(async () => {
        await markedPass({ ...survivor, signal });
        await survivor.queue.idle();
        expect(await bench.read(runner)).toBeUndefined();
      }, patient);

      expect(await bench.hasInstance(runner)).toBe(false);
      expect(await bench.isRegistered(runner)).toBe(false);
      expect(await bench.events(runner)).toEqual(['runner.deleted']);
    },
  );
});
