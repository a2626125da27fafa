import type { SimControl } from '@baton/github-sim';
import type { GitHubFault } from './random-fault.ts';

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

/** There may be no session just now; then there is nothing to end. */
async function ifThere(ending: Promise<void>): Promise<void> {
  await ending.catch((error: unknown) => {
    if (!String(error).includes('has no session')) throw error;
  });
}
