import { eventually } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { aServedSet } from './testing/served-bench.ts';

const patient = { timeoutMs: 15_000 };

describe('a session through the failures of GitHub', () => {
  test('a demand after a replaced session is later than all before it', async () => {
    const { control, record, session, untilEmpty } = await aServedSet();
    const before = await session();
    for (const job of ['a', 'b', 'c']) {
      await control.play('linux', { entries: [{ messageType: 'JobAssigned', jobId: job }] });
      await untilEmpty();
    }
    const demand = (await record())?.demand;

    await control.evictSession('linux');

    await eventually(async () => {
      expect((await session())?.id).not.toBe(before?.id);
      expect((await record())?.session?.sessionId).toBe((await session())?.id);
    }, patient);
    expect(demand?.seq).toBe(3);
    await eventually(async () => {
      const { epoch, seq } = (await record())?.demand ?? {};
      expect({ epoch, seq }).toEqual({ epoch: demand?.epoch, seq: 4 });
    });
  });
});
