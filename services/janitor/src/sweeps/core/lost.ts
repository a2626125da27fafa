import type { Instance } from '@baton/providers';
import type { Runner } from '@baton/shared/contracts';
import type { Sweep } from '../sweep.ts';
import { decideByLooks, fine, unknown, unseen, type Verdict } from './decide-by-looks.ts';
import { findSuspicious, type InstanceList, listsOf, type NamedView } from './lists.ts';
import { markFinding } from './mark-finding.ts';
import type { Sightings } from './sightings.ts';
import { sightingKey, steadyRunners } from './steady-runners.ts';

/** Provisioners give it 10 s after 30 s; a provider that lists late has this long, in ms. */
const missingMs = 120_000;
/** Provisioners write an end down within seconds: none of them does, in ms. */
const endedMs = 300_000;

interface Look {
  runner: Runner;
  list: InstanceList | undefined;
  instance: Instance | undefined;
}

/**
 * Runners whose instance is gone, or has ended with nobody to write it down. Only the provider of the
 * runner's own host is believed. An end that only a list tells is not proven by it: GitHub is asked.
 */
export const lost: Sweep<Sightings> = {
  name: 'lost',
  needs: ['instances'],
  guarded: true,
  start: new Map(),
  decide: (views, memory) => {
    const lists = listsOf(views);
    const items = steadyRunners(views)
      .map((runner) => {
        const list = lists.ofProvider(runner);
        return { runner, list, instance: list?.byRunner.get(runner.runnerId) };
      })
      .filter(({ runner, list }) => !list || runner.hostId === list.provider.hostId);
    const suspicious = findSuspicious(
      items
        .filter(({ runner }) => hasInstance(runner))
        .map(({ list, instance }) => ({ list, isMissing: !instance })),
    );
    return decideByLooks(views, memory, {
      items,
      keyOf: ({ runner }) => sightingKey(runner),
      judge: (look) => judgeLook(look, suspicious.lists),
      problem: suspicious.problem,
    });
  },
};

/** The states in which a runner has one that counts. */
function hasInstance({ state, instanceId }: Runner): boolean {
  if (instanceId === undefined) return false;
  return state === 'creating' || state === 'starting' || state === 'idle' || state === 'busy';
}

function judgeLook(look: Look, suspicious: ReadonlySet<NamedView>): Verdict {
  const { runner, list, instance } = look;
  if (!list) return unseen;
  if (!hasInstance(runner)) return fine;
  if (instance) return instance.state === 'exited' ? ended(runner, list, instance) : fine;
  if (suspicious.has(list)) return unknown('the list is suspicious');
  const find = markFinding(
    runner,
    { reason: 'lost', gate: 'github' },
    (span) => `provider ${runner.provider} has not listed ${runner.instanceId ?? 'it'} for ${span}`,
  );
  return { kind: 'odd', what: 'missing', lastingMs: missingMs, lists: [list], find };
}

function ended(runner: Runner, list: InstanceList, { exitCode }: Instance): Verdict {
  const reason = exitCode === 0 ? 'completed' : 'exited';
  const code = exitCode === undefined ? 'an unknown code' : `code ${exitCode}`;
  const find = markFinding(
    runner,
    { reason, gate: 'github' },
    (span) => `its instance ended with ${code}, and nobody has written that down for ${span}`,
  );
  return { kind: 'odd', what: 'ended', lastingMs: endedMs, lists: [list], find };
}
