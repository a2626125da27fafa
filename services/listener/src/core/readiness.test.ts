import { describe, expect, test } from 'vitest';
import { notReadyReason } from './readiness.ts';

type Known = Parameters<typeof notReadyReason>[0] extends Iterable<infer T> ? T : never;
type Current = Known['current'];

function known(current: Partial<Current>, isOurs = true): Known {
  return { isOurs, current: { scaleSetId: 'linux', state: 'polling', conditions: [], ...current } };
}
const failed = known({ state: 'failed', reason: 'the credential is refused' });
const at = '2026-01-01T00:00:00.000Z';
const stuck = known({ conditions: [{ type: 'stuck', since: at, text: 'the loop stands still' }] });

describe('notReadyReason', () => {
  test.each([
    ['nothing is declared', []],
    ['all are polled', [known({}), known({})]],
    ['a conflict is waited out', [known({ state: 'conflicted', reason: 'held by another' })]],
    ['a session is waited for', [known({ state: 'opening', reason: 'GitHub answers 503' })]],
    ['others hold the leases', [known({ state: 'waiting' }, false)]],
    ['all are disabled', [known({ state: 'disabled' })]],
    ['one of several fails', [failed, known({})]],
    ['one fails and another listener serves the rest', [failed, known({}, false)]],
    ['the one that failed is not ours any more', [{ ...failed, isOurs: false }]],
  ])('is none while %s', (_what, sets) => {
    expect(notReadyReason(sets)).toBeUndefined();
  });

  test('names the first of them when all fail', () => {
    expect(notReadyReason([failed, stuck])).toBe(
      'none of 2 scale sets can be served; linux: the credential is refused',
    );
  });

  test('names the condition where there is no other reason', () => {
    expect(notReadyReason([stuck])).toContain('linux: the loop stands still');
  });
});
