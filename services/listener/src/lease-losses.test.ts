import { FakeClock } from '@baton/testkit';
import { expect, test } from 'vitest';
import { LeaseLosses } from './lease-losses.ts';

test('a lost lease is told until it is held again, or for a minute', async () => {
  const clock = new FakeClock();
  const losses = new LeaseLosses(clock);
  const told = () => Object.fromEntries(losses.recent());

  losses.lost('linux', 'expired');
  losses.lost('arm', 'taken');
  await clock.advance(5_000);
  expect(told()).toEqual({
    linux: 'was lost (expired) 5 s ago',
    arm: 'was lost (taken) 5 s ago',
  });
  losses.taken('linux');
  expect(Object.keys(told())).toEqual(['arm']);
  await clock.advance(56_000);
  expect(told()).toEqual({});
});
