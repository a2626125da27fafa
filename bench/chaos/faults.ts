import type { SimControl } from '@baton/github-sim';
import type { GitHubFault } from './random-fault.ts';
import { outageParts, serviceRoutes } from './random-outage.ts';

/** Does it to the simulator; `end` takes back what does not end by itself. */
export async function applyFault(
  sim: SimControl,
  fault: GitHubFault,
): Promise<(() => Promise<void>) | undefined> {
  switch (fault.what) {
    case 'spoil': {
      const { route, scaleSet, probability, action, forMs: windowMs } = fault;
      const whose = scaleSet === undefined ? {} : { scaleSet };
      await sim.addFault({ route, ...whose, probability, action, windowMs });
      return undefined;
    }
    case 'outage':
      await sim.outage(fault.forMs, fault.status);
      return undefined;
    case 'long outage':
      await beginOutage(sim, fault);
      return undefined;
    case 'part outage': {
      const { routes, action } = outageParts[fault.part];
      for (const route of routes) await sim.addFault({ route, action, windowMs: fault.forMs });
      return undefined;
    }
    case 'evict session':
      await ifThere(sim.evictSession(fault.scaleSet));
      return undefined;
    case 'release session':
      await ifThere(sim.releaseSession(fault.scaleSet));
      return undefined;
    case 'restart ids':
      await sim.play(fault.scaleSet, { restartMessageIds: true });
      return undefined;
    case 'expire tokens':
      await sim.expireTokens(fault.tokens);
      return undefined;
    case 'runners exit':
      await sim.play(fault.scaleSet, { runner: { mode: 'exit', exitCode: 1 } });
      return () => sim.play(fault.scaleSet, normalRunners);
    case 'runners connect late':
      await sim.play(fault.scaleSet, { runner: { mode: 'normal', connectDelayMs: 2_000 } });
      return () => sim.play(fault.scaleSet, normalRunners);
  }
}

export const normalRunners = { runner: { mode: 'normal', connectDelayMs: 0 } } as const;

/**
 * Runners get an answer all the same, a 503, because one that gets none ends by itself after two minutes;
 * GitHub does not miss them meanwhile.
 */
async function beginOutage(
  sim: SimControl,
  { how, forMs }: Extract<GitHubFault, { what: 'long outage' }>,
): Promise<void> {
  if (how !== 'status') {
    const action =
      how === 'hang'
        ? ({ kind: 'hang' } as const)
        : ({ kind: 'drop', when: 'before-headers' } as const);
    for (const route of serviceRoutes) await sim.addFault({ route, action, windowMs: forMs });
  }
  await sim.outage(forMs, 503);
}

/** There may be no session just now; then there is nothing to end. */
async function ifThere(ending: Promise<void>): Promise<void> {
  await ending.catch((error: unknown) => {
    if (!String(error).includes('has no session')) throw error;
  });
}
