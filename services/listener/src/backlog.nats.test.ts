import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { aManager } from './testing/manager-bench.ts';

const patient = { timeoutMs: 20_000, everyMs: 50 };

describe('messages that piled up while nobody listened', () => {
  test('do not count with what they say of the past, however slow the way to GitHub is', async () => {
    const { declare, plan, session, atGitHub, github, demand, demands } = await aManager();
    await plan('linux', { free: 10 });
    await declare('linux');
    await eventually(async () => expect((await session('linux'))?.held).toBe(true), patient);
    await declare('linux', { enabled: false });
    await eventually(async () => expect(await session('linux')).toBeUndefined(), patient);
    const before = (await demands('linux')).length;

    for (const jobId of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
      const entries = ['JobAssigned', 'JobCompleted'].map((messageType) => ({
        messageType,
        jobId,
        result: 'succeeded',
      }));
      await github.play('linux', { entries, apart: true, statistics: { totalAssignedJobs: 9 } });
    }
    await github.play('linux', { statistics: {} });
    await github.addFault({ route: '*', action: { kind: 'delay', ms: 300 } });
    await declare('linux', { enabled: true });

    await eventually(async () => {
      expect((await atGitHub('linux'))?.messages).toBe(0);
      expect((await session('linux'))?.lastPollAgoMs).toBeGreaterThan(2_000);
    }, patient);
    expect(new Set((await demands('linux')).slice(before))).toEqual(new Set([0]));
    await github.clearFaults();
    await github.addJobs({ scaleSet: 'linux', count: 2 });
    await eventually(async () => expect((await demand('linux'))?.assigned).toBe(2), patient);
  });
});
