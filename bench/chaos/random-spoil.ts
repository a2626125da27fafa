import type { FaultRuleInput } from '@baton/github-sim';
import type { Random } from '@baton/shared/retry';
import { pick } from '@baton/stack';
import { between } from './between.ts';

type Route = FaultRuleInput['route'];
type Action = FaultRuleInput['action'];

/** Calls that are spoiled for a while, or the answers to them. */
export interface Spoil {
  what: 'spoil';
  route: Route;
  scaleSet?: string;
  probability: number;
  action: Action;
  forMs: number;
}

const queueRoutes: readonly Route[] = ['getMessage', 'getMessage', 'deleteMessage'];
const otherRoutes: readonly Route[] = [
  'createSession',
  'refreshSession',
  'deleteSession',
  'findRunnerGroup',
  'listRunnerGroups',
  'getScaleSet',
  'listScaleSets',
  'createScaleSet',
  'updateScaleSet',
  'createRegistrationToken',
  'registerRunner',
  'generateJitConfig',
  'listRunners',
  'getRunner',
  'removeRunner',
];
const statuses = [429, 500, 502, 503, 504];

/** Runners of the simulator are not spoiled: their faults are no promise of ours. */
export function randomSpoil(random: Random, scaleSet: string): Spoil {
  const routes = random() < 0.5 ? queueRoutes : otherRoutes;
  const route = pick(routes, random) ?? 'getMessage';
  const one = random() < 0.5;
  return {
    what: 'spoil',
    route,
    // Of the other routes most are about none.
    ...(one && routes === queueRoutes ? { scaleSet } : {}),
    probability: 0.3 + random() * 0.7,
    action: randomAction(random),
    forMs: between(random, 500, 6_000),
  };
}

/** What hangs is rare: it costs a minute each time. */
function randomAction(random: Random): Action {
  const dice = random();
  if (dice < 0.35) return randomStatus(random);
  if (dice < 0.48) return { kind: 'empty200' };
  if (dice < 0.59) return { kind: 'truncate' };
  if (dice < 0.7) return { kind: 'drop', when: 'before-headers' };
  if (dice < 0.81) return { kind: 'drop', when: 'mid-body' };
  if (dice < 0.91) return { kind: 'delay', ms: between(random, 100, 4_000) };
  const kinds = ['hang', 'hang-after', 'stall'] as const;
  return { kind: pick(kinds, random) ?? 'hang' };
}

/** Some say when to come again, and no later than who is not told would come. */
function randomStatus(random: Random): Action {
  const status = pick(statuses, random) ?? 500;
  const headers = { 'Retry-After': String(between(random, 1, 4)) };
  return { kind: 'status', status, ...(random() < 0.3 ? { headers } : {}) };
}
