import { expect, test } from 'vitest';
import { startClient } from '../testing/start-client.ts';

test.each([
  ['hang', 'does nothing', 1],
  ['hang-after', 'has done what was asked for', 0],
] as const)('a route with the fault %s never answers and %s', async (kind, _what, sessionsLeft) => {
  const client = await startClient();
  const id = await client.scaleSet();
  const { sessionId } = await client.session(id);
  await client.control.addFault({ route: 'deleteSession', action: { kind } });

  const path = `${client.tenant}_apis/runtime/runnerscalesets/${id}/sessions/${sessionId}`;
  const asking = fetch(`${path}?api-version=6.0-preview`, {
    method: 'DELETE',
    headers: { Authorization: `Bearer ${client.admin}`, 'Content-Type': 'application/json' },
    signal: AbortSignal.timeout(200),
  });

  await expect(asking).rejects.toMatchObject({ name: 'TimeoutError' });
  const { scaleSets } = await client.control.state();
  expect(scaleSets.filter(({ session }) => session !== null)).toHaveLength(sessionsLeft);
});
