import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import { aManager } from './testing/manager-bench.ts';

const count = 200;
const patient = { timeoutMs: 60_000, everyMs: 100 };

test('two hundred scale sets open their sessions sixteen at a time, with one token', async () => {
  const { declare, github } = await aManager();
  // So that those that are asked for together are seen together.
  await github.addFault({ route: 'createSession', action: { kind: 'delay', ms: 50 } });

  await Promise.all(Array.from({ length: count }, (_, n) => declare(`set-${n}`)));
  await eventually(async () => expect((await github.state()).pollsHeld).toBe(count), patient);

  const { traffic, sessionConflicts } = await github.books();
  expect(traffic).toMatchObject({
    createRegistrationToken: { calls: 1 },
    registerRunner: { calls: 1 },
    createSession: { calls: count },
  });
  const { mostAtOnce = 0 } = traffic.createSession ?? {};
  expect(mostAtOnce).toBeGreaterThan(4);
  // A machine that stands still for a second makes the calls of before count as hung.
  expect(mostAtOnce).toBeLessThanOrEqual(2 * 16);
  expect(sessionConflicts).toBe(0);
}, 90_000);
