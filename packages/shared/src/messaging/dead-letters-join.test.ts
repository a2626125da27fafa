import { describe, expect, test } from 'vitest';
import { joinParts, readPart } from './dead-letters-join.ts';

const at = '2026-01-01T00:00:00.000Z';
const subject = 'baton.v1.dead.listener.message';

/** A stored part of the letter `name`. */
function part(sequence: number, name: string, number: number, of: number, body = `${number}`) {
  const letter = { v: 1, service: 'listener', kind: 'message', reason: 'odd', at, body };
  const text = JSON.stringify({ ...letter, part: number, parts: of });
  const messageId = `dead-${name}-message-${number - 1}`;
  return readPart({ sequence, subject, messageId, text, storedAt: at });
}

function single(sequence: number, fields: object) {
  const text = JSON.stringify({ v: 1, kind: 'message', reason: 'odd', body: '{}', at, ...fields });
  return readPart({ sequence, subject, messageId: 'dead-1', text, storedAt: at });
}

describe('joinParts', () => {
  test('joins the parts of letters that were written at the same time', () => {
    const parts = [part(1, 'a', 1, 2), part(2, 'b', 1, 2), part(3, 'b', 2, 2), part(4, 'a', 2, 2)];

    const letters = joinParts(parts);

    expect(letters).toMatchObject([
      { id: 1, sequences: [1, 4], body: '12', bytes: 2, missing: [] },
      { id: 2, sequences: [2, 3], body: '12', bytes: 2, missing: [] },
    ]);
  });

  test('the order in which the parts are given does not matter', () => {
    const parts = [part(3, 'a', 3, 3), part(1, 'a', 1, 3), part(2, 'a', 2, 3)];

    expect(joinParts(parts)).toMatchObject([{ id: 1, sequences: [1, 2, 3], body: '123' }]);
  });

  test('a part that was stored twice counts once, and both go with the letter', () => {
    const parts = [part(1, 'a', 1, 2), part(2, 'a', 1, 2), part(3, 'a', 2, 2)];

    expect(joinParts(parts)).toMatchObject([{ id: 1, sequences: [1, 2, 3], body: '12' }]);
  });

  test('says which parts are missing', () => {
    expect(joinParts([part(7, 'a', 2, 4, 'x')])).toMatchObject([
      { id: 7, sequences: [7], body: 'x', missing: [1, 3, 4] },
    ]);
  });

  test('letters of one part are letters of their own, also when they are alike', () => {
    const letters = joinParts([
      single(1, { service: 'janitor' }),
      single(2, { service: 'janitor' }),
    ]);

    expect(letters.map(({ id }) => id)).toEqual([1, 2]);
  });
});

describe('readPart', () => {
  test.each([
    ['baton.v1.command.create.linux-1', 'linux-1'],
    ['baton.v1.command.delete.linux-1', 'linux-1'],
    ['baton.v1.event.listener.linux-1.job.started', 'linux-1'],
    ['baton.v1.command.replay.janitor', undefined],
  ])('finds the scale set in %s', (from, scaleSetId) => {
    const { letter } = single(1, { service: 'provisioner', subject: from });

    expect(letter.scaleSetId).toBe(scaleSetId);
  });

  test('what is no letter is a letter with itself as its body', () => {
    const stored = { sequence: 1, subject, messageId: '', text: '{"v":2}', storedAt: at };

    expect(readPart(stored).letter).toMatchObject({
      service: 'listener',
      kind: 'message',
      body: '{"v":2}',
      reason: 'the letter itself cannot be understood',
    });
  });

  test('counts bytes, not characters', () => {
    expect(single(1, { service: 'listener', body: 'ä€' }).bytes).toBe(5);
  });
});
