import { Hints } from '@baton/shared/messaging';
import { openMembers } from '@baton/shared/stores';
import { silentLogger } from '@baton/shared/telemetry';
import { systemClock } from '@baton/shared/time';
import { eventually, type TestNats } from '@baton/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Members } from './members.ts';
import { startServer } from './testing/listener-bench.ts';

let server: TestNats;
let run = 0;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  run += 1;
});

let incarnations = 0;

/** A member with an identity of this test's own, whose clock can be moved on. */
async function aMember(name: string, weight = 1) {
  incarnations += 1;
  const identity = nameOf(name);
  const nats = await server.connect('listener');
  const time = { passedMs: 0 };
  const clock = {
    ...systemClock,
    monotonic: () => systemClock.monotonic() + time.passedMs,
  };
  const hints = new Hints(nats);
  const members = new Members({
    members: await openMembers(nats),
    hints,
    holder: { v: 1, identity, incarnation: `i${incarnations}` },
    weight,
    ttlMs: 10_000,
    clock,
    log: silentLogger(),
  });
  hints.subscribe('member', () => void members.look());
  await nats.connection.flush();
  return { members, time, sees: () => seenBy(members) };
}

function nameOf(name: string): string {
  return `m${run}-${name}`;
}

/** Of this test's members, who is seen, with their weights. */
function seenBy(members: Members): Record<string, number> {
  const own = members.shares.filter(({ identity }) => identity.startsWith(`m${run}-`));
  return Object.fromEntries(own.map(({ identity, weight }) => [identity, weight]));
}

describe('Members', () => {
  test('one that joins is known to the others at once, with its weight', async () => {
    const first = await aMember('a');
    await first.members.join();

    const second = await aMember('b', 3);
    await second.members.join();

    const both = { [nameOf('a')]: 1, [nameOf('b')]: 3 };
    await eventually(() => expect(first.sees()).toEqual(both));
    expect(second.sees()).toEqual(both);
  });

  test('one that drains takes no more sessions, and the others know it at once', async () => {
    const [first, second] = [await aMember('a'), await aMember('b')];
    await first.members.join();
    await second.members.join();

    const othersLive = await second.members.drain();

    expect(othersLive).toBe(true);
    await eventually(() => expect(first.sees()).toEqual({ [nameOf('a')]: 1 }));
  });

  test('one that left is forgotten', async () => {
    const [first, second] = [await aMember('a'), await aMember('b')];
    await first.members.join();
    await second.members.join();

    await second.members.leave();

    await eventually(() => expect(first.sees()).toEqual({ [nameOf('a')]: 1 }));
  });

  test('one that was seen for long enough has settled; after a restart it begins anew', async () => {
    const [first, second] = [await aMember('a'), await aMember('b')];
    await second.members.join();
    await first.members.join();
    const settled = () => first.members.hasSettled(nameOf('b'), 60_000);
    const before = settled();

    first.time.passedMs = 60_001;
    await first.members.look();
    const after = settled();
    const restarted = await aMember('b');
    await restarted.members.join();
    await first.members.look();

    expect([before, after, settled()]).toEqual([false, true, false]);
    expect(first.members.hasSettled(nameOf('unknown'), 0)).toBe(false);
  });

  test('a membership that a restarted process has renewed is not taken back by the old one', async () => {
    const old = await aMember('a');
    await old.members.join();
    const restarted = await aMember('a');
    await restarted.members.join();

    await old.members.leave();
    await restarted.members.look();

    expect(restarted.sees()).toEqual({ [nameOf('a')]: 1 });
  });
});
