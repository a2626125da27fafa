import { silentLogger } from '@baton/shared/telemetry';
import { FakeClock } from '@baton/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { preferredOwner, type Share } from './core/share-scale-sets.ts';
import { Rebalancer } from './rebalancer.ts';

const me: Share = { identity: 'listener-0', weight: 1 };
const peer: Share = { identity: 'listener-1', weight: 1 };
const sets = Array.from({ length: 40 }, (_, n) => `set-${n}`);
const ofPeer = sets.filter((set) => preferredOwner(set, [me, peer]) === peer.identity);

/** A rebalancer of a listener that polls all sets, in time that stands still. */
function aRebalancer({ settled = true, comesBack = false } = {}) {
  const clock = new FakeClock();
  const held = new Set(sets);
  const moved: { set: string; at: number }[] = [];
  const peers = { shares: [me, peer], settled };
  const members = {
    own: me,
    get shares() {
      return peers.shares;
    },
    hasSettled: () => peers.settled,
  };
  const rebalancer = new Rebalancer(
    { members, clock, random: () => 0.5, log: silentLogger(), rebalanceAfterMs: 60_000 },
    {
      polled: () => [...held],
      handOver: async (set) => {
        moved.push({ set, at: clock.monotonic() });
        if (!comesBack) held.delete(set);
        await clock.sleep(100);
      },
    },
  );
  const stop = new AbortController();
  const done = rebalancer.run(stop.signal);
  onTestFinished(async () => {
    stop.abort(new Error('test over'));
    await clock.advance(1_000);
    await done;
  });
  return { clock, held, moved, peers };
}

describe('Rebalancer', () => {
  test('moves what another listener should have, one after another, and nothing else', async () => {
    const { clock, held, moved } = aRebalancer();

    await clock.advance(60_000);

    expect(moved.map(({ set }) => set)).toEqual(ofPeer);
    expect([...held]).toEqual(sets.filter((set) => !ofPeer.includes(set)));
    const pauses = moved.slice(1).map(({ at }, n) => at - (moved[n]?.at ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(500);
  });

  test('moves nothing to a listener that has only just come', async () => {
    const { clock, moved, peers } = aRebalancer({ settled: false });
    await clock.advance(30_000);
    const before = moved.length;

    peers.settled = true;
    await clock.advance(60_000);

    expect(before).toBe(0);
    expect(moved).toHaveLength(ofPeer.length);
  });

  test('moves nothing while it is alone', async () => {
    const { clock, moved, peers } = aRebalancer();
    peers.shares = [me];

    await clock.advance(60_000);

    // The first look came before the peer was gone.
    expect(moved.length).toBeLessThanOrEqual(1);
  });

  test('leaves alone for ten minutes what came back', async () => {
    const { clock, moved } = aRebalancer({ comesBack: true });

    await clock.advance(300_000);
    const first = moved.length;
    await clock.advance(600_000);

    expect(first).toBe(ofPeer.length);
    expect(moved).toHaveLength(2 * ofPeer.length);
  });
});
