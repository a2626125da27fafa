import { aSessionRecord } from '@baton/testkit';
import { expect, test } from 'vitest';
import { type OwnershipBooks, ownershipViolations } from './ownership-books.ts';

const claim = (epoch: number, last: { messageId: string; bodyHash: string }[] = []) =>
  aSessionRecord({ epoch, owner: `listener-${epoch}`, ring: last });
const act = (epoch: number, number: number, messageId: string) =>
  aSessionRecord({
    epoch,
    owner: `listener-${epoch}`,
    ring: [{ messageId, bodyHash: `${epoch}/${number}` }],
  });

const sound: OwnershipBooks = {
  versions: [
    claim(5),
    act(5, 1, '1'),
    act(5, 2, '2'),
    act(5, 2, '2'),
    claim(7, act(5, 2, '2').ring),
    act(7, 1, '2'),
  ],
  facts: ['1', '2', '3'],
  deleted: new Map([
    ['1', 5],
    ['2', 7],
  ]),
};

test('nothing is wrong when a successor handles again what its predecessor did not delete', () => {
  expect(ownershipViolations(sound)).toEqual([]);
});

test.each<[string, Partial<OwnershipBooks>]>([
  [
    'epoch 5 was written after epoch 7',
    { versions: [...sound.versions, claim(5, act(7, 1, '2').ring)] },
  ],
  [
    'epoch 7 belongs to listener-7 and to listener-8',
    { versions: [...sound.versions, { ...act(7, 2, '3'), owner: 'listener-8' }] },
  ],
  ['epoch 9 acted before it claimed', { versions: [...sound.versions, act(9, 1, '3')] }],
  ['act 3 of epoch 7 follows act 1', { versions: [...sound.versions, act(7, 3, '3')] }],
  ['message 2 was deleted by epoch 6 without its record', { deleted: new Map([['2', 6]]) }],
  ['the fact of message 1 is there twice', { facts: ['1', '2', '1'] }],
  ['the fact of message 2 is lost', { facts: ['1', '3'] }],
])('finds that %s', (violation, wrong) => {
  expect(ownershipViolations({ ...sound, ...wrong })).toEqual([violation]);
});
