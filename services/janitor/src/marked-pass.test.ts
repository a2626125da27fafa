import { aRunner, at } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { isDue } from './marked-pass.ts';

const startMs = Date.parse(at);
const mark = { reason: 'surplus', gate: 'none', by: 'provisioner', at } as const;
const deletion = { attempts: 1, deregistered: false, instanceDeleted: true };
const retryAt = new Date(startMs + 20_000).toISOString();

describe('isDue', () => {
  test.each([
    { what: 'without a mark', part: {}, afterMs: 100_000, due: false },
    { what: 'marked just now', part: { mark }, afterMs: 3_000, due: false },
    { what: 'marked 3 s ago', part: { mark }, afterMs: 3_001, due: true },
    { what: 'half deleted', part: { mark, deletion }, afterMs: 3_001, due: true },
    {
      what: 'that waits for its next try',
      part: { mark, deletion: { ...deletion, retryAt } },
      afterMs: 19_999,
      due: false,
    },
    {
      what: 'whose next try has come',
      part: { mark, deletion: { ...deletion, retryAt } },
      afterMs: 20_000,
      due: true,
    },
  ] as const)('says $due of a runner $what', ({ part, afterMs, due }) => {
    const state = 'mark' in part ? 'marked' : 'busy';

    expect(isDue(aRunner({ state, ...part }), startMs + afterMs)).toBe(due);
  });
});
