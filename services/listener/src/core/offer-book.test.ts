import { describe, expect, test } from 'vitest';
import { aCompletion, anAssignment } from '../testing/jobs.ts';
import { OfferBook } from './offer-book.ts';

const assigned = (...ids: string[]) =>
  ids.map((runnerRequestId) => anAssignment({ runnerRequestId }));

describe('OfferBook', () => {
  test('gives the oldest first, each once', () => {
    const book = new OfferBook();
    book.offer(['1', '2']);
    book.offer(['2', '3']);

    expect([book.next(2), book.next(2), book.next(2)]).toEqual([['1', '2'], ['3'], []]);
  });

  test('what is asked for or granted takes room until the demand counts it', () => {
    const book = new OfferBook();
    book.offer(['1', '2', '3']);
    const rooms = [book.room(5, 1, 0)];
    book.next(3);
    rooms.push(book.room(5, 1, 0));
    book.answered(['1', '2'], 0);
    rooms.push(book.room(5, 1, 0));
    book.onJobs(assigned('1', '2'));
    rooms.push(book.room(5, 3, 0));

    expect(rooms).toEqual([4, 1, 2, 2]);
  });

  test('a job that comes as assigned before the answer takes its place once', () => {
    const book = new OfferBook();
    book.offer(['1']);
    book.next(1);

    book.onJobs(assigned('1'));
    book.answered(['1'], 0);

    expect(book.room(2, 1, 0)).toBe(1);
  });

  test('a grant of which nothing was heard for two minutes takes no room', () => {
    const book = new OfferBook();
    book.offer(['1']);
    book.answered(book.next(1), 0);

    expect([book.room(1, 0, 120_000), book.room(1, 0, 120_001)]).toEqual([0, 1]);
  });

  test('a job that was canceled while it waited is not asked for', () => {
    const book = new OfferBook();
    book.offer(['1', '2']);

    book.onJobs([aCompletion({ runnerRequestId: '1', result: 'canceled' })]);

    expect(book.next(2)).toEqual(['2']);
  });

  test('what nobody answered to is asked for again, before later offers', () => {
    const book = new OfferBook();
    book.offer(['1', '2']);
    book.next(1);
    book.offer(['1', '3']);

    book.putBack();

    expect(book.next(4)).toEqual(['1', '2', '3']);
  });

  test("GitHub's list replaces what was offered, but for what is under way", () => {
    const book = new OfferBook();
    book.offer(['1', '2', '3']);
    book.next(1);

    book.replace(['1', '3', '4']);

    expect(book.next(4)).toEqual(['3', '4']);
  });

  test('there is no room below nothing', () => {
    expect(new OfferBook().room(2, 5, 0)).toBe(0);
  });
});
