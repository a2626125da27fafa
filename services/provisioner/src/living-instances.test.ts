import type { Instance } from '@baton/providers';
import { FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { LivingInstances } from './living-instances.ts';

const { signal } = new AbortController();
const place = { scaleSetId: 'linux', provider: 'local' };

function anInstance(runnerId: string, state: Instance['state'] = 'running'): Instance {
  const createdAt = new Date(0).toISOString();
  const names = { instanceId: `i-${runnerId}`, runnerName: `linux-test-${runnerId}` };
  return { ...names, runnerId, scaleSetId: 'linux', generation: 'g', createdAt, state };
}

function someLists() {
  const clock = new FakeClock();
  return { clock, living: new LivingInstances({ clock, providers: ['local', 'cloud'] }) };
}

describe('the instances that live', () => {
  test('are those of the last list of each provider that have not exited', async () => {
    const { living } = someLists();
    living.listed('local', [anInstance('gone'), anInstance('ended', 'exited')]);
    living.listed('local', [anInstance('r1'), anInstance('ended', 'exited')]);
    living.listed('cloud', [anInstance('r2', 'starting')]);

    expect(await living.of(place, signal)).toEqual(['r1', 'r2']);
    expect(await living.of({ ...place, scaleSetId: 'other' }, signal)).toEqual([]);
    expect(await living.has({ ...place, runnerId: 'r1' }, signal)).toBe(true);
    expect(await living.has({ ...place, runnerId: 'ended' }, signal)).toBe(false);
  });

  test('are unknown before the first list, for ten seconds, of which nobody waits for more than one', async () => {
    const { clock, living } = someLists();
    const early = living.of(place, signal);
    await clock.advance(1_000);
    const first = await early;
    await clock.advance(9_000);

    expect(first).toBe('unknown');
    expect(await living.of(place, signal)).toEqual([]);
  });

  test('are told as soon as there is a list', async () => {
    const { living } = someLists();
    const waiting = living.of(place, signal);
    living.listed('local', [anInstance('r1')]);

    expect(await waiting).toEqual(['r1']);
  });

  test('count without a record for fifteen minutes, anew when they had one', async () => {
    const { clock, living } = someLists();
    const first = living.countOrphans('linux', ['r1', 'r2']);
    await clock.advance(899_999);
    living.countOrphans('other', ['r1']);
    const still = living.countOrphans('linux', ['r1']);
    await clock.advance(1);

    expect([first, still]).toEqual([2, 1]);
    expect(living.countOrphans('linux', ['r1', 'r2'])).toBe(1);
    expect(living.countOrphans('other', ['r1'])).toBe(1);
  });
});
