import { eventually, recordSpans } from '@baton/testkit';
import { expect, test } from 'vitest';
import { defaultWaitingPolicy } from './core/waiting-jobs.ts';
import { aManager } from './testing/manager-bench.ts';

const slow = { timeoutMs: 15_000, everyMs: 50 };

test('a demand that no message takes back ends when GitHub is asked for the numbers of now', async () => {
  using spans = recordSpans();
  const waitingPolicy = { ...defaultWaitingPolicy, maxAgeMs: 1_500, maxAgeWaitingMs: 1_500 };
  const { declare, plan, session, github, demand } = await aManager({ waitingPolicy });
  await declare('linux');
  await plan('linux', { free: 5 });
  await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(5));
  await github.play('linux', {
    drift: { totalAssignedJobs: 3 },
    entries: [{ messageType: 'JobCompleted', jobId: 'seen-before' }],
  });
  await eventually(async () => expect((await demand('linux'))?.assigned).toBe(3), slow);
  const before = await demand('linux');

  await github.play('linux', { drift: {} });

  await eventually(async () => expect((await demand('linux'))?.assigned).toBe(0), slow);
  const after = await demand('linux');
  expect(after?.epoch).toBe(before?.epoch);
  expect(after?.seq).toBeGreaterThan(before?.seq ?? 0);
  // It belongs to no opening and to no poll, however long they run: GitHub was asked for it.
  const asked = spans.named('ask for statistics').at(-1);
  expect(asked).toMatchObject({ parent: undefined, traceparent: after?.traceparent });
  await eventually(() => {
    const parents = spans.named('record demand').map(({ parent }) => parent);
    expect(parents.at(-1)).toBe(asked?.traceparent);
  });
});
