import { FakeClock } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { SideBySide } from './side-by-side.ts';

function aBench() {
  const clock = new FakeClock();
  const failed: string[] = [];
  const beside = new SideBySide({ clock, onError: (key) => failed.push(key) });
  const begun: string[] = [];
  const hanging = new Map<string, () => void>();
  const work = async (key: string): Promise<void> => {
    begun.push(key);
    if (key.startsWith('broken')) throw new Error(key);
    if (key.startsWith('slow')) await new Promise<void>((end) => hanging.set(key, end));
  };
  return { clock, failed, beside, begun, hanging, work };
}

const keys = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${name}-${index}`);

describe('SideBySide', () => {
  test('does the work for every key, and tells of what failed', async () => {
    const { beside, begun, failed, work } = aBench();

    await beside.run(['a', 'broken', 'b'], work);

    expect(begun).toEqual(['a', 'broken', 'b']);
    expect(failed).toEqual(['broken']);
  });

  test('has 32 under way at a time, and lets others begin beside what is slow', async () => {
    const { clock, beside, begun, work } = aBench();
    let done = false;
    const run = beside.run([...keys('slow', 80), 'healthy'], work).then(() => {
      done = true;
    });

    await clock.advance(249);
    expect(begun).toHaveLength(32);
    await clock.advance(501);
    await run;

    expect(done).toBe(true);
    expect(begun).toHaveLength(81);
  });

  test('passes over a key while its work goes on, and does it again afterwards', async () => {
    const { clock, beside, begun, hanging, work } = aBench();
    const first = beside.run(['slow'], work);
    await clock.advance(250);
    await first;

    await beside.run(['slow', 'a'], work);
    hanging.get('slow')?.();
    await beside.idle();
    const again = beside.run(['slow'], work);
    await clock.advance(250);
    await again;

    expect(begun).toEqual(['slow', 'a', 'slow']);
  });

  test('leaves no timer behind', async () => {
    const { clock, beside, work } = aBench();

    await beside.run(['a', 'b'], work);

    expect(clock.sleeping).toBe(0);
  });
});
