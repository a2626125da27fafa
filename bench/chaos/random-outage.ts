import type { FaultRuleInput } from '@baton/github-sim';
import type { Random } from '@baton/shared/retry';
import { pick } from '@baton/stack';
import { between } from './between.ts';
import type { GitHubFault } from './random-fault.ts';
import type { FaultStep } from './schedule.ts';

type Route = FaultRuleInput['route'];

const adminRoutes: readonly Route[] = [
  'createRegistrationToken',
  'registerRunner',
  'listRunnerGroups',
  'listScaleSets',
  'getScaleSet',
  'createScaleSet',
  'updateScaleSet',
  'findRunnerGroup',
  'generateJitConfig',
  'listRunners',
  'getRunner',
  'removeRunner',
];
/** Whatever Baton calls; what runners call is not among it. */
export const serviceRoutes: readonly Route[] = [
  ...adminRoutes,
  'createSession',
  'refreshSession',
  'deleteSession',
  'acquireJobs',
  'getMessage',
  'deleteMessage',
];

interface Part {
  routes: readonly Route[];
  action: FaultRuleInput['action'];
}

const unavailable = { kind: 'status', status: 503 } as const;

/** Outages that leave the rest of GitHub as it is. */
export const outageParts = {
  'no list of runners': { routes: ['listRunners', 'getRunner'], action: unavailable },
  'no JIT configs': { routes: ['generateJitConfig'], action: unavailable },
  'JIT configs are given and not answered': {
    routes: ['generateJitConfig'],
    action: { kind: 'hang-after' },
  },
  'no deregistrations': { routes: ['removeRunner'], action: unavailable },
  'a slow admin API': { routes: adminRoutes, action: { kind: 'delay', ms: 6_000 } },
} as const satisfies Record<string, Part>;
export type OutagePart = keyof typeof outageParts;

const parts: readonly OutagePart[] = [
  'no list of runners',
  'no JIT configs',
  'JIT configs are given and not answered',
  'no deregistrations',
  'a slow admin API',
];
const hows = ['status', 'status', 'hang', 'reset'] as const;

/** All in ms. Between two outages there is time to do what waited. */
const firstMs = { least: 10_000, most: 60_000 };
const outageMs = { least: 20_000, most: 180_000 };
const pauseMs = { least: 60_000, most: 180_000 };

/** The outages of a run, none of which lasts beyond its end. Pure. */
export function outages(random: Random, lengthMs: number): FaultStep[] {
  const steps: FaultStep[] = [];
  let atMs = between(random, firstMs.least, firstMs.most);
  while (atMs + outageMs.least <= lengthMs) {
    // Short ones are more frequent.
    const wanted = outageMs.least + random() ** 2 * (outageMs.most - outageMs.least);
    const forMs = Math.round(Math.min(wanted, lengthMs - atMs));
    steps.push({ kind: 'fault', atMs, fault: randomOutage(random, forMs) });
    atMs += forMs + between(random, pauseMs.least, pauseMs.most);
  }
  return steps;
}

export function isOutage({ what }: GitHubFault): boolean {
  return what === 'long outage' || what === 'part outage';
}

function randomOutage(random: Random, forMs: number): GitHubFault {
  if (random() < 0.5) {
    return { what: 'long outage', how: pick(hows, random) ?? 'status', forMs };
  }
  return { what: 'part outage', part: pick(parts, random) ?? 'no list of runners', forMs };
}
