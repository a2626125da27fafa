import type { Runner } from '@baton/shared/contracts';
import { aRunner, at } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { isLeftOver } from './is-left-over.ts';
import { absentMs, nextStep, notBegun, stepsLeft } from './next-step.ts';

const startMs = Date.parse(at);
const after = (ms: number) => new Date(startMs + ms).toISOString();
const open = { reason: 'exited', gate: 'none', by: 'provisioner', at } as const;
const shut = { reason: 'surplus', gate: 'github', by: 'provisioner', at } as const;
const made = { instanceId: 'i-1', githubRunnerId: 7 };
const step = (part: Partial<Runner>, afterMs = 0) =>
  nextStep(aRunner({ state: 'marked', ...made, ...part }), { nowMs: startMs + afterMs, by: 'me' });

describe('nextStep', () => {
  test.each<[string, Partial<Runner>, string | undefined]>([
    ['no mark', {}, undefined],
    ['an open gate', { mark: open }, 'delete-instance'],
    ['a shut gate', { mark: shut }, 'deregister'],
    ['a shut gate and an end', { mark: shut, exit: { at } }, 'delete-instance'],
    ['a host that is gone', { mark: { ...shut, hostGone: true } }, 'delete-instance'],
    [
      'an open gate, the instance gone',
      { mark: open, deletion: { ...notBegun, instanceDeleted: true } },
      'deregister',
    ],
    [
      'a shut gate, GitHub told',
      { mark: shut, deletion: { ...notBegun, deregistered: true } },
      'delete-instance',
    ],
    [
      'all done',
      { mark: shut, deletion: { attempts: 3, deregistered: true, instanceDeleted: true } },
      'remove-record',
    ],
  ])('after %s', (_what, part, expected) => {
    expect(step(part)).toBe(expected);
  });

  test('is the removal of the record when nobody has begun to make the runner', () => {
    const nothing = { instanceId: undefined, githubRunnerId: undefined };

    expect(step({ mark: shut, ...nothing })).toBe('remove-record');
  });

  test('waits for the next try, and not a moment longer', () => {
    const deletion = { ...notBegun, attempts: 1, retryAt: after(20_000) };

    expect(step({ mark: open, deletion }, 19_999)).toBeUndefined();
    expect(step({ mark: open, deletion }, 20_000)).toBe('delete-instance');
  });

  test('waits for no pause of another step: an end that is seen opens the gate at once', () => {
    const deletion = { ...notBegun, attempts: 9, retryAt: after(300_000) };
    const paused = { ...deletion, failedStep: 'deregister' };

    expect(step({ mark: shut, deletion: paused })).toBeUndefined();
    expect(step({ mark: shut, exit: { at }, deletion: paused })).toBe('delete-instance');
    expect(step({ mark: open, deletion: { ...paused, instanceDeleted: true } })).toBeUndefined();
    expect(step({ mark: open, deletion })).toBeUndefined();
  });

  test('leaves to another janitor what that one has claimed, until the claim is over', () => {
    const claimedBy = (by: string) => ({ ...notBegun, claim: { by, until: after(10_000) } });

    expect(step({ mark: open, deletion: claimedBy('another') }, 9_999)).toBeUndefined();
    expect(step({ mark: open, deletion: claimedBy('another') }, 10_000)).toBe('delete-instance');
    expect(step({ mark: open, deletion: claimedBy('me') })).toBe('delete-instance');
  });

  test('is held up by no time that another host with a wrong clock has written', () => {
    const claim = { by: 'another', until: after(10_001) };
    const absent = { ...notBegun, deregistered: true, absentAt: after(1) };

    expect(step({ mark: open, deletion: { ...notBegun, claim } })).toBe('delete-instance');
    expect(step({ mark: open, deletion: { ...notBegun, retryAt: after(300_001) } })).toBe(
      'delete-instance',
    );
    expect(step({ mark: open, instanceId: undefined, deletion: absent })).toBe('delete-instance');
    expect(isLeftOver(aRunner({ state: 'marked', mark: open }), startMs - 3_600_000)).toBe(true);
  });

  test('tells GitHub meanwhile while an instance that was not listed is waited for', () => {
    const part = { mark: open, instanceId: undefined };
    const absent = { ...notBegun, absentAt: at };

    expect(step({ ...part, deletion: absent })).toBe('deregister');
    expect(step({ ...part, deletion: { ...absent, deregistered: true } })).toBeUndefined();
    expect(step({ ...part, deletion: { ...absent, deregistered: true } }, absentMs)).toBe(
      'delete-instance',
    );
  });

  test('never has the instance deleted behind a shut gate before GitHub has let the runner go', () => {
    const both = [false, true];
    const deletions = both.flatMap((deregistered) =>
      [undefined, at].map((absentAt) => ({ ...notBegun, deregistered, absentAt })),
    );
    for (const deletion of [undefined, ...deletions]) {
      const steps = stepsLeft(aRunner({ ...made, mark: shut, deletion }));

      expect(steps[0] === 'delete-instance').toBe(deletion?.deregistered === true);
    }
  });
});

describe('isLeftOver', () => {
  const deletion = { ...notBegun, attempts: 1 };
  test.each([
    { what: 'without a mark', part: {}, afterMs: 100_000, left: false },
    { what: 'marked just now', part: { mark: open }, afterMs: 3_000, left: false },
    { what: 'marked 3 s ago', part: { mark: open }, afterMs: 3_001, left: true },
    { what: 'half deleted', part: { mark: open, deletion }, afterMs: 3_001, left: true },
    {
      what: 'that was put off',
      part: { mark: open, deletion: { ...deletion, retryAt: after(1_000) } },
      afterMs: 1_000,
      left: true,
    },
  ] as const)('says $left of a runner $what', ({ part, afterMs, left }) => {
    const state = 'mark' in part ? 'marked' : 'busy';

    expect(isLeftOver(aRunner({ state, ...part }), startMs + afterMs)).toBe(left);
  });
});
