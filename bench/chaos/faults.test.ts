import type { SimControl } from '@baton/github-sim';
import { startTestSimulator } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { applyFault, type FaultDeps } from './faults.ts';
import type { GitHubFault } from './random-fault.ts';

const forMs = 60_000;

function depsOf(sim: SimControl): FaultDeps {
  return { sim, killRunner: () => Promise.resolve(), crashing: new Set(), dropped: new Set() };
}

async function under(fault: GitHubFault, act: (url: string) => Promise<void>): Promise<void> {
  await using sim = await startTestSimulator();
  await applyFault(depsOf(sim.control), fault);
  await act(new URL(sim.configUrl).origin);
}

async function status(url: string, method: 'GET' | 'POST' = 'GET'): Promise<number> {
  const response = await fetch(url, { method, signal: AbortSignal.timeout(5_000) });
  await response.arrayBuffer();
  return response.status;
}

const groups = '/api/v3/orgs/acme/actions/runner-groups';

describe('an outage', () => {
  test('of all calls answers 503, runners as well', async () => {
    await under({ what: 'long outage', how: 'status', forMs }, async (url) => {
      expect(await status(`${url}${groups}`)).toBe(503);
      expect(await status(`${url}/runner/1/behaviour`)).toBe(503);
    });
  });

  test('that resets connections leaves runners an answer', async () => {
    await under({ what: 'long outage', how: 'reset', forMs }, async (url) => {
      await expect(status(`${url}${groups}`)).rejects.toThrow('fetch failed');
      expect(await status(`${url}/runner/1/behaviour`)).toBe(503);
    });
  });

  test('of a part leaves the rest', async () => {
    await under({ what: 'part outage', part: 'no list of runners', forMs }, async (url) => {
      const list = `${url}/tenant/acme/_apis/distributedtask/pools/0/agents`;
      expect(await status(list)).toBe(503);
      expect(await status(`${url}${groups}`)).toBe(401);
      expect(await status(`${url}/runner/1/behaviour`)).toBe(200);
    });
  });
});
