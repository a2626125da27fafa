import { describe, expect, test } from 'vitest';
import { aRunner, at } from '../testing/builders.ts';
import { chooseRunner, deletionProgress, deletionText } from './runner-deletion.ts';

const runners = [
  aRunner('aaa2'),
  aRunner('bbb3'),
  aRunner('aaa2', { scaleSetId: 'other', name: 'o' }),
];
const names = new Map([[aRunner('x').scaleSetId, 'linux']]);
const askedAt = '2026-01-01T01:00:00.000Z';
const mark = { reason: 'operator', gate: 'github', by: 'operator alice', at: askedAt } as const;

describe('chooseRunner', () => {
  test('finds a runner by its name or its id', () => {
    expect(chooseRunner('bbb3', runners, names)).toEqual({ kind: 'found', runner: runners[1] });
    expect(chooseRunner('linux-test-bbb3', runners, names)).toMatchObject({ kind: 'found' });
  });

  test.each([
    ['bbb4', 'there is no runner "bbb4": did you mean "bbb3"'],
    ['nothing-like-it', 'see "baton get runners"'],
    ['aaa2', '"aaa2" is a runner of linux and of other: say which with --scale-set'],
  ])('refuses %s and says what to do', (wanted, text) => {
    const refused = chooseRunner(wanted, runners, names);

    expect('text' in refused && refused.text).toContain(text);
  });
});

describe('deletionText', () => {
  const no = { force: false, hostGone: false };
  const job = { jobId: 'j-9', startedAt: at };
  test.each([
    [
      { job },
      no,
      'is busy with job j-9: it goes when GitHub lets it go; one that runs a job stays',
    ],
    [{ job }, { ...no, force: true }, 'its instance is deleted at once, and a job on it fails'],
    [{ exit: { code: 0, at } }, no, 'its instance is deleted at once'],
    [{}, { ...no, hostGone: true }, 'nobody is asked to delete its instance'],
  ])('says what will happen to a runner with %j when %j is wished', (part, wish, text) => {
    expect(deletionText(aRunner('r1', part), wish)).toContain(text);
  });
});

describe('deletionProgress', () => {
  const kept = {
    markedAt: askedAt,
    at,
    by: 'janitor j',
    reason: 'operator',
    text: 'it runs a job',
  };
  const deletion = {
    attempts: 2,
    deregistered: false,
    instanceDeleted: true,
    lastError: 'no answer',
  };
  test.each([
    [undefined, { kind: 'deleted' }],
    [aRunner('r1'), { kind: 'asked', text: 'no janitor has taken it up yet: is one running?' }],
    [aRunner('r1', { state: 'marked', mark }), { kind: 'deleting', text: 'a janitor is at it' }],
    [
      aRunner('r1', { state: 'deleting', mark, deletion }),
      { kind: 'deleting', text: 'instance deleted, no answer (tried 2 times)' },
    ],
    [aRunner('r1', { kept }), { kind: 'kept', text: 'it runs a job' }],
    [aRunner('r1', { kept: { ...kept, markedAt: at } }), { kind: 'asked' }],
  ])('of %j is %j', (runner, expected) => {
    expect(deletionProgress(runner, askedAt)).toMatchObject(expected);
  });
});
