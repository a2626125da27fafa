import { FakeClock } from '@baton/testkit';
import { expect, test } from 'vitest';
import { Journal } from './journal.ts';

test('a journal gives what was written behind a number', () => {
  const journal = new Journal(new FakeClock());
  journal.write('linux', 'held', { capacity: 3 });
  journal.write('linux', 'delivered', { messageId: 7 });

  expect(journal.after(0).map(({ event }) => event)).toEqual(['held', 'delivered']);
  expect(journal.after(0)[0]).toMatchObject({ event: 'held', capacity: 3 });
  expect(journal.after(1)).toMatchObject([{ number: 2, scaleSet: 'linux', messageId: 7 }]);
  expect(journal.after(2)).toEqual([]);
});

test('a journal that is full forgets its oldest entries, and numbers go on', () => {
  const journal = new Journal(new FakeClock(), 10);
  for (let count = 0; count < 25; count += 1) journal.write('linux', 'held');

  const kept = journal.after(0);

  expect(kept.length).toBeLessThan(20);
  expect(kept.at(-1)?.number).toBe(25);
  expect(journal.after(23)).toMatchObject([{ number: 24 }, { number: 25 }]);
});
