import type { Random } from '@baton/shared/retry';
import { pick } from '@baton/stack';
import { between } from '../between.ts';
import { type Call, calls, kindsOf, type Lie } from './lie.ts';

/** Lies about one call follow each other with a pause. All in ms. */
const lengthMs = { least: 10_000, most: 120_000 };
const pauseMs = { least: 20_000, most: 90_000 };
const agoMs = { least: 3_000, most: 40_000 };

const callersOf: Readonly<Record<Call, readonly string[]>> = {
  list: ['provisioner-', 'janitor-'],
  create: ['provisioner-'],
  delete: ['janitor-'],
  capacity: ['provisioner-'],
};

export interface LieStep {
  kind: 'lie';
  atMs: number;
  lie: Lie;
}

interface LiesOptions {
  /** No lie begins later, and none lasts longer. */
  lengthMs: number;
  /** The processes that have a provider, by instance. */
  whom: readonly string[];
}

/** What the provider is made to lie about, for each call a sequence of its own. Pure. */
export function lies(random: Random, options: LiesOptions): LieStep[] {
  return calls.flatMap((call) => liesAbout(call, random, options));
}

function liesAbout(call: Call, random: Random, { whom, ...options }: LiesOptions): LieStep[] {
  const steps: LieStep[] = [];
  let atMs = between(random, 0, pauseMs.least);
  while (atMs < options.lengthMs) {
    const lie = randomLie(call, random, whom);
    // Short ones are more frequent.
    const wanted = lengthMs.least + random() ** 2 * (lengthMs.most - lengthMs.least);
    const forMs = Math.round(Math.min(wanted, options.lengthMs - atMs));
    steps.push({ kind: 'lie', atMs, lie: { ...lie, forMs } });
    atMs += forMs + between(random, pauseMs.least, pauseMs.most);
  }
  return steps;
}

function randomLie(call: Call, random: Random, whom: readonly string[]): Omit<Lie, 'forMs'> {
  const what = pick(kindsOf(call), random) ?? 'list empty';
  const callers = whom.filter((name) => callersOf[call].some((caller) => name.startsWith(caller)));
  const one = pick(callers, random) ?? '';
  return {
    what,
    // A provider that fails mostly fails everybody.
    whom: random() < 0.6 ? callers : [one],
    share: random() < 0.5 || what.includes('half') ? 0.5 : 1,
    salt: between(random, 0, 1_000_000),
    agoMs: between(random, agoMs.least, agoMs.most),
  };
}
