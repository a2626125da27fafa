import { type Runner, runnerStates } from '@baton/shared/contracts';
import { aRunner, at } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { markByOperator } from './mark-by-operator.ts';
import { notBegun } from './next-step.ts';

const askedAt = '2026-01-01T01:00:00.000Z';
const now = '2026-01-01T01:00:01.000Z';
const alice = { by: 'operator alice', at: askedAt };
const surplus = { reason: 'surplus', gate: 'github', by: 'provisioner p-0', at } as const;

function deleting(part: Partial<Runner> = {}): Runner {
  const deletion = { ...notBegun, attempts: 4, deregistered: true, retryAt: now, lastError: 'no' };
  return aRunner({ state: 'deleting', mark: surplus, deletion, ...part });
}

describe('markByOperator', () => {
  test.each([
    [{}, 'github'],
    [{ force: true }, 'none'],
    [{ hostGone: true }, 'none'],
  ] as const)('marks a runner in every state (%j)', (word, gate) => {
    for (const state of runnerStates.filter((one) => one !== 'marked' && one !== 'deleting')) {
      const marked = markByOperator(aRunner({ state }), { ...alice, ...word }, now);

      expect(marked).toMatchObject({ state: 'marked', stateAt: now });
      expect(marked?.mark).toMatchObject({ reason: 'operator', gate, by: 'operator alice' });
    }
  });

  test('opens the gate of one that is marked, keeps how far it came, and has it tried at once', () => {
    const forced = markByOperator(deleting(), { ...alice, force: true }, now);

    expect(forced?.mark).toMatchObject({
      gate: 'none',
      text: 'forced; before that: surplus, by provisioner p-0',
    });
    expect(forced?.deletion).toEqual({
      ...notBegun,
      attempts: 4,
      deregistered: true,
      lastError: 'no',
    });
  });

  test('never shuts a gate, nor forgets that a host is gone', () => {
    const mark = { ...surplus, gate: 'none', hostGone: true } as const;

    const again = markByOperator(deleting({ mark }), alice, now);

    expect(again?.mark).toMatchObject({ gate: 'none', hostGone: true });
  });

  test('lets a lost runner be lost, so that a job that GitHub believes in does not bring it back', () => {
    const mark = { ...surplus, reason: 'lost' } as const;

    const asked = markByOperator(deleting({ mark }), alice, now) ?? aRunner();
    const forced = markByOperator(asked, { ...alice, force: true, at: now }, now);

    expect(asked.mark).toMatchObject({ reason: 'lost', by: 'operator alice', at: askedAt });
    expect(markByOperator(asked, alice, now)).toBeUndefined();
    expect(forced?.mark).toMatchObject({ reason: 'operator', gate: 'none' });
  });

  test('says nothing new when it is heard twice', () => {
    const marked = markByOperator(aRunner({ state: 'busy' }), alice, now) ?? aRunner();

    expect(markByOperator(marked, alice, now)).toBeUndefined();
  });

  test('is answered once: a mark that was taken back is not made again by the same word', () => {
    const who = { by: 'janitor j-0', reason: 'operator', text: 'it runs a job' };
    const kept = { ...who, markedAt: askedAt, at: now };
    const later = { ...alice, at: '2026-01-01T01:00:02.000Z' };

    expect(markByOperator(aRunner({ state: 'busy', kept }), alice, now)).toBeUndefined();
    expect(markByOperator(aRunner({ state: 'busy', kept }), later, now)).toBeDefined();
  });
});
