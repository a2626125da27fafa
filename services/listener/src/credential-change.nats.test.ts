import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import { aManager } from './testing/manager-bench.ts';

const patient = { timeoutMs: 15_000 };

test('another credential takes effect while the scale set is served, and the session stays', async () => {
  const { declare, plan, session, status } = await aManager();
  await declare('linux');
  await plan('linux', { free: 5 });
  await eventually(async () => expect((await session('linux'))?.held).toBe(true), patient);
  const before = (await session('linux'))?.id;

  await declare('linux', { credential: 'does-not-exist' });
  await eventually(async () => {
    const { state, reason } = (await status('linux')) ?? {};
    expect(state).toBe('failed');
    expect(reason).toContain('does-not-exist');
  }, patient);
  await declare('linux');

  await eventually(async () => {
    expect((await status('linux'))?.state).toBe('polling');
    expect((await session('linux'))?.held).toBe(true);
  }, patient);
  expect((await session('linux'))?.id).toBe(before);
});
