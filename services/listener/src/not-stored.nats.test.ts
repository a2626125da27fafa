import { streams } from '@baton/shared/contracts';
import type { Nats } from '@baton/shared/messaging';
import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import { aManager } from './testing/manager-bench.ts';

const patient = { timeoutMs: 15_000, everyMs: 50 };

/** Makes the stream of events full, or wide again. */
async function limitEvents({ connection }: Nats, full: boolean): Promise<void> {
  const manager = await connection.jetstreamManager();
  const { config, state } = await manager.streams.info(streams.events);
  await manager.streams.update(streams.events, {
    ...config,
    max_bytes: full ? state.bytes : 100_000_000,
    discard: (full ? 'new' : 'old') as typeof config.discard,
  });
}

test('a stream that is full is told by a condition until it takes events again; nothing is lost', async () => {
  const set = await aManager({ storeLateMs: 1_000 });
  const { declare, plan, session, atGitHub, github, nats, conditions, status, demands } = set;
  await declare('linux');
  await plan('linux', { free: 10 });
  await eventually(async () => expect((await session('linux'))?.heldCapacity).toBe(10), patient);
  await eventually(async () => expect(await demands('linux')).toEqual([0]), patient);
  const { owner, epoch } = (await status('linux')) ?? {};

  await limitEvents(nats, true);
  await github.addJobs({ scaleSet: 'linux', count: 2 });
  await eventually(async () => {
    const text = (await conditions('linux'))['events-not-stored'];
    expect(text).toContain('maximum bytes exceeded');
    expect(text).toContain('See whether a stream is full');
  }, patient);
  expect((await atGitHub('linux'))?.messages).toBe(1);
  expect(await status('linux')).toMatchObject({ owner, epoch, state: 'polling' });

  await limitEvents(nats, false);
  await eventually(async () => {
    expect(await conditions('linux')).toEqual({});
    expect((await atGitHub('linux'))?.messages).toBe(0);
    expect((await demands('linux')).at(-1)).toBe(2);
  }, patient);
});
