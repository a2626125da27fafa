import type { Random } from '@baton/shared/retry';
import { pick } from '@baton/stack';
import { between } from './between.ts';
import type { OutagePart } from './random-outage.ts';
import { randomSpoil, type Spoil } from './random-spoil.ts';

/** One thing that is done to the simulator, or to a runner. `forMs` is 0 when it is over at once. */
export type GitHubFault =
  | Spoil
  | { what: 'outage'; status: number; forMs: number }
  | { what: 'long outage'; how: 'status' | 'hang' | 'reset'; forMs: number }
  | { what: 'part outage'; part: OutagePart; forMs: number }
  | { what: 'expire tokens'; tokens: 'app' | 'registration' | 'admin' | 'queue'; forMs: 0 }
  /** Runners are told without their status. */
  | { what: 'bare runners'; forMs: number }
  | { what: MomentOfSet; scaleSet: string; forMs: 0 }
  | { what: 'drop registrations'; scaleSet: string; told: boolean; forMs: 0 }
  | { what: TimeOfSet; scaleSet: string; forMs: number }
  /** So many jobs more than there are; or none at all. */
  | { what: 'false statistics'; scaleSet: string; more: number | 'none'; forMs: number };

/** `kill runner` is SIGKILL to one that has a job; `announce completion` says too early that one is over. */
type MomentOfSet =
  | 'evict session'
  | 'release session'
  | 'restart ids'
  | 'odd message'
  | 'delete scale set'
  | 'kill runner'
  | 'announce completion';
type TimeOfSet = 'mute' | 'runners exit' | 'runners connect late' | 'runners never connect';

/** The scale sets that have jobs, and one that has none, so that it can be deleted. */
export interface Victims {
  scaleSets: readonly string[];
  withoutJobs: string;
}

type Make = (random: Random, scaleSet: string, victims: Victims) => GitHubFault;

const moment =
  (what: MomentOfSet): Make =>
  (_random, scaleSet) => ({ what, scaleSet, forMs: 0 });

const time =
  (what: TimeOfSet): Make =>
  (random, scaleSet) => ({ what, scaleSet, forMs: between(random, 500, 3_000) });

const tokenKinds = ['app', 'registration', 'admin', 'queue'] as const;

/** How often, of a hundred. */
const faults: readonly (readonly [number, Make])[] = [
  [48, randomSpoil],
  [7, (random) => ({ what: 'outage', status: 503, forMs: between(random, 500, 12_000) })],
  [9, moment('evict session')],
  [4, moment('release session')],
  [4, moment('restart ids')],
  [
    7,
    (random) => ({ what: 'expire tokens', tokens: pick(tokenKinds, random) ?? 'queue', forMs: 0 }),
  ],
  [2, moment('odd message')],
  [
    2,
    (_random, _scaleSet, { withoutJobs }) => ({
      what: 'delete scale set',
      scaleSet: withoutJobs,
      forMs: 0,
    }),
  ],
  [3, moment('kill runner')],
  [2, moment('announce completion')],
  [
    2,
    (random, scaleSet) => ({
      what: 'drop registrations',
      scaleSet,
      told: random() < 0.5,
      forMs: 0,
    }),
  ],
  [2, time('mute')],
  [2, time('runners exit')],
  [2, time('runners connect late')],
  [1, time('runners never connect')],
  [
    2,
    (random, scaleSet) => ({
      what: 'false statistics',
      scaleSet,
      more: random() < 0.5 ? 'none' : between(random, 1, 3),
      forMs: between(random, 500, 6_000),
    }),
  ],
  [1, (random) => ({ what: 'bare runners', forMs: between(random, 500, 6_000) })],
];
const sum = faults.reduce((total, [weight]) => total + weight, 0);

export function randomFault(random: Random, victims: Victims): GitHubFault {
  let dice = random() * sum;
  const scaleSet = pick(victims.scaleSets, random) ?? '';
  const found = faults.find(([weight]) => {
    dice -= weight;
    return dice < 0;
  });
  return (found?.[1] ?? randomSpoil)(random, scaleSet, victims);
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
    case 'bare runners':
      return `runners are told without their status${lasting}`;
    case 'drop registrations':
      return `drop registrations of ${fault.scaleSet}, runners are ${fault.told ? '' : 'not '}told`;
    case 'false statistics':
      return `statistics of ${fault.scaleSet} count ${fault.more === 'none' ? 'no jobs' : `${fault.more} jobs too many`}${lasting}`;
    default:
      return `${fault.what} of ${fault.scaleSet}${lasting}`;
  }
}
