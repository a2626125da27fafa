import type { FaultRuleInput } from '@baton/github-sim';
import type { Random } from '@baton/shared/retry';
import { pick } from '@baton/stack';
import { between } from './between.ts';
import type { OutagePart } from './random-outage.ts';

type Route = FaultRuleInput['route'];
type Action = FaultRuleInput['action'];

/** One thing that is done to the simulator. `forMs` is 0 when it is over at once. */
export type GitHubFault =
  | {
      what: 'spoil';
      route: Route;
      scaleSet?: string;
      probability: number;
      action: Action;
      forMs: number;
    }
  | { what: 'outage'; status: number; forMs: number }
  | { what: 'long outage'; how: 'status' | 'hang' | 'reset'; forMs: number }
  | { what: 'part outage'; part: OutagePart; forMs: number }
  | { what: 'evict session' | 'release session' | 'restart ids'; scaleSet: string; forMs: 0 }
  | { what: 'expire tokens'; tokens: 'app' | 'registration' | 'admin' | 'queue'; forMs: 0 }
  | { what: 'runners exit' | 'runners connect late'; scaleSet: string; forMs: number };

const queueRoutes: readonly Route[] = ['getMessage', 'getMessage', 'deleteMessage'];
const otherRoutes: readonly Route[] = [
  'createSession',
  'refreshSession',
  'deleteSession',
  'getScaleSet',
  'listScaleSets',
  'updateScaleSet',
  'createRegistrationToken',
  'registerRunner',
  'generateJitConfig',
  'listRunners',
  'getRunner',
  'removeRunner',
];
const statuses = [429, 500, 502, 503, 504];
const tokenKinds = ['app', 'registration', 'admin', 'queue'] as const;

/** Runners of the simulator are not spoilt: their faults are no promise of ours. */
export function randomFault(random: Random, scaleSets: readonly string[]): GitHubFault {
  const dice = random();
  const scaleSet = pick(scaleSets, random) ?? '';
  if (dice < 0.6) return randomSpoil(random, scaleSet);
  if (dice < 0.68) return { what: 'outage', status: 503, forMs: between(random, 500, 12_000) };
  if (dice < 0.78) return { what: 'evict session', scaleSet, forMs: 0 };
  if (dice < 0.82) return { what: 'release session', scaleSet, forMs: 0 };
  if (dice < 0.86) return { what: 'restart ids', scaleSet, forMs: 0 };
  if (dice < 0.93) {
    return { what: 'expire tokens', tokens: pick(tokenKinds, random) ?? 'queue', forMs: 0 };
  }
  const what = dice < 0.96 ? 'runners exit' : 'runners connect late';
  return { what, scaleSet, forMs: between(random, 500, 3_000) };
}

function randomSpoil(random: Random, scaleSet: string): GitHubFault {
  const routes = random() < 0.5 ? queueRoutes : otherRoutes;
  const route = pick(routes, random) ?? 'getMessage';
  const one = random() < 0.5;
  return {
    what: 'spoil',
    route,
    // Routes of the runner agents know no scale set.
    ...(one && routes === queueRoutes ? { scaleSet } : {}),
    probability: 0.3 + random() * 0.7,
    action: randomAction(random),
    forMs: between(random, 500, 6_000),
  };
}

function randomAction(random: Random): Action {
  const dice = random();
  if (dice < 0.35) return { kind: 'status', status: pick(statuses, random) ?? 500 };
  if (dice < 0.5) return { kind: 'empty200' };
  if (dice < 0.62) return { kind: 'truncate' };
  if (dice < 0.74) return { kind: 'drop', when: 'before-headers' };
  if (dice < 0.86) return { kind: 'drop', when: 'mid-body' };
  if (dice < 0.96) return { kind: 'delay', ms: between(random, 100, 4_000) };
  return { kind: 'hang' };
}

/** For the list of what was done. */
export function describeFault(fault: GitHubFault): string {
  const lasting = fault.forMs > 0 ? ` for ${fault.forMs} ms` : '';
  switch (fault.what) {
    case 'spoil': {
      const { route, action, scaleSet, probability } = fault;
      const detail = JSON.stringify(action);
      const whose = scaleSet === undefined ? '' : ` of ${scaleSet}`;
      return `${route}${whose}: ${detail} at ${Math.round(probability * 100)} %${lasting}`;
    }
    case 'outage':
      return `outage, ${fault.status}${lasting}`;
    case 'long outage':
      return `all calls ${fault.how === 'status' ? 'answer 503' : fault.how}${lasting}`;
    case 'part outage':
      return `${fault.part}${lasting}`;
    case 'expire tokens':
      return `expire ${fault.tokens} tokens`;
    case 'evict session':
    case 'release session':
    case 'restart ids':
    case 'runners exit':
    case 'runners connect late':
      return `${fault.what} of ${fault.scaleSet}${lasting}`;
  }
}
