import type { SimControl } from '@baton/github-sim';
import { startTestSimulator } from '@baton/testkit';
import { describe, expect, test } from 'vitest';
import { startClient } from '../../packages/github-sim/src/testing/start-client.ts';
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

describe('what is done to one scale set', () => {
  const scaleSet = 'web';

  async function aSet() {
    const client = await startClient({ pollHoldMs: 5_000 });
    const id = await client.scaleSet(scaleSet);
    return { client, id, sim: client.control, deps: depsOf(client.control) };
  }

  test('registrations are dropped, and whose they were is written down', async () => {
    const { sim, deps } = await aSet();
    await sim.registerRunners(scaleSet, ['web-1', 'web-2']);

    await applyFault(deps, { what: 'drop registrations', scaleSet, told: true, forMs: 0 });

    expect(deps.dropped).toEqual(new Set(['web-1', 'web-2']));
    expect((await sim.books()).registrations).toEqual([]);
  });

  test('who has a job is killed, and the job may fail; without one nobody is', async () => {
    const { client, id, sim, deps: given } = await aSet();
    const killed: string[] = [];
    const killRunner = (name: string) => Promise.resolve(void killed.push(name));
    const deps = { ...given, killRunner };
    const fault = { what: 'kill runner', scaleSet, forMs: 0 } as const;
    await sim.registerRunners(scaleSet, ['web-1', 'web-2']);

    await applyFault(deps, fault);
    const ids = await sim.addJobs({ scaleSet });
    await client.message(await client.session(id));
    await sim.playRunners(['web-1']);
    await applyFault(deps, fault);

    expect(killed).toEqual(['web-1']);
    expect([...deps.crashing]).toEqual(ids);
  });

  test('false statistics are taken back by a message that tells the truth', async () => {
    const { sim, deps } = await aSet();
    const look = async () => (await sim.state()).scaleSets[0];

    const end = await applyFault(deps, { what: 'false statistics', scaleSet, more: 3, forMs });
    const during = await look();
    await end?.();
    const after = await look();

    expect(during).toMatchObject({ statistics: { totalAssignedJobs: 3 }, messages: 0 });
    expect(after).toMatchObject({ statistics: { totalAssignedJobs: 0 }, messages: 1 });
  });

  test('what is about something that is over does nothing', async () => {
    const { sim, deps } = await aSet();

    for (const what of ['evict session', 'announce completion', 'delete scale set'] as const) {
      await applyFault(deps, { what, scaleSet, forMs: 0 });
    }
    await applyFault(deps, { what: 'delete scale set', scaleSet, forMs: 0 });

    expect((await sim.state()).scaleSets).toEqual([]);
  });
});
