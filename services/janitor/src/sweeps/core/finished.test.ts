import { at } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { finished } from './finished.ts';
import { aLiving, at0And, findLast, told } from './testing/scene.ts';

const exit = { code: 0, at };
const completedIn = { epoch: 1, seq: 1 };
const { instanceId: _instanceId, ...nothingMade } = aLiving({ state: 'failed' });

describe('a runner that has ended', () => {
  test.each([
    { runner: aLiving({ state: 'completed', exit }), reason: 'completed', gate: 'none' },
    { runner: aLiving({ state: 'completed', completedIn }), reason: 'completed', gate: 'github' },
    { runner: aLiving({ state: 'failed', exit }), reason: 'exited', gate: 'none' },
    { runner: aLiving({ state: 'failed' }), reason: 'create-failed', gate: 'github' },
    {
      runner: { ...nothingMade, failure: { class: 'quota', text: '' } },
      reason: 'create-failed',
      gate: 'github',
    },
    { runner: aLiving({ state: 'lost' }), reason: 'lost', gate: 'github' },
  ])('is marked when nobody has for ten minutes: $reason, gate $gate', ({ runner, ...mark }) => {
    expect(findLast(finished, at0And(599_999, { runners: [runner] }))).toEqual([]);
    expect(told(findLast(finished, at0And(600_000, { runners: [runner] })))).toEqual([
      { mark: 'r1', ...mark },
    ]);
  });

  test('needs no list, and leaves who lives or is marked', () => {
    const mark = { reason: 'completed', gate: 'none', by: 'provisioner-0', at } as const;
    const runners = [
      aLiving({ state: 'busy' }),
      aLiving({ runnerId: 'r2', state: 'marked', mark }),
    ];

    expect(finished.needs).toEqual([]);
    expect(findLast(finished, at0And(600_000, { runners }))).toEqual([]);
  });
});
