import type { Runner as Registration } from '@baton/scaleset';
import type { Runner } from '@baton/shared/contracts';
import type { Sweep } from '../sweep.ts';
import { decideByLooks, fine, unknown, unseen, type Verdict } from './decide-by-looks.ts';
import {
  findSuspicious,
  type InstanceList,
  isHere,
  type Lists,
  listsOf,
  type NamedView,
  type RegistrationList,
} from './lists.ts';
import { markFinding } from './mark-finding.ts';
import type { Sightings } from './sightings.ts';
import { sightingKey, steadyRunners } from './steady-runners.ts';

/** An idle runner connects again within a minute, or never; ten times that, in ms. */
const idleMs = 600_000;
/** A job may starve the runner, or its network, for long. GitHub gives up on it first, in ms. */
const busyMs = 1_800_000;
/** Provisioners replace whom GitHub has left out for 20 s, or 2 min: they are left this time, in ms. */
const unlistedMs = 300_000;

interface Look {
  runner: Runner;
  instances: InstanceList | undefined;
  github: RegistrationList | undefined;
  entry: Registration | undefined;
}

/**
 * Runners whose instance lives and which GitHub has lost: listed as offline, or not listed any more. Where
 * most of them look so at once it is GitHub, or the network, that is in trouble.
 */
export const offline: Sweep<Sightings> = {
  name: 'offline',
  needs: ['instances', 'registrations'],
  guarded: true,
  start: new Map(),
  decide: (views, memory) => {
    const lists = listsOf(views);
    const items = steadyRunners(views)
      .filter((runner) => isHere(lists, runner))
      .map((runner) => lookAt(lists, runner));
    const suspicious = findSuspicious(
      items
        .filter(({ runner }) => isWatched(runner))
        .map((look) => ({ list: look.github, isMissing: looksLost(look) })),
    );
    return decideByLooks(views, memory, {
      items,
      keyOf: ({ runner }) => sightingKey(runner),
      judge: (look) => judgeLook(look, suspicious.lists),
      problem: suspicious.problem,
    });
  },
};

function lookAt(lists: Lists, runner: Runner): Look {
  const github = lists.ofScaleSet(runner.scaleSetId);
  return {
    runner,
    instances: lists.ofProvider(runner),
    github,
    entry: github?.entryOf(runner.name),
  };
}

/** GitHub is known to have had it. One that starts and is offline is `never-registered`'s. */
function isWatched({ state, githubRunnerId, onlineAt }: Runner): boolean {
  if (githubRunnerId === undefined && onlineAt === undefined) return false;
  return state === 'starting' || state === 'idle' || state === 'busy';
}

function looksLost({ runner, entry }: Look): boolean {
  return !entry || (entry.status === 'offline' && runner.state !== 'starting');
}

function judgeLook(look: Look, suspicious: ReadonlySet<NamedView>): Verdict {
  const { runner, instances, github, entry } = look;
  if (!instances) return unseen;
  if (!isWatched(runner)) return fine;
  if (!github) return unknown("no list of GitHub's");
  const instance = instances.byRunner.get(runner.runnerId);
  // What has ended, or is gone, is the matter of `lost`.
  if (!instance || instance.state === 'exited') return fine;
  if (!looksLost(look)) return fine;
  if (suspicious.has(github)) return unknown('the list is suspicious');
  if (entry?.busy === true) return unknown('GitHub believes that it runs a job');
  const lists = [instances, github];
  return entry ? offlineFor(runner, lists) : unlisted(runner, lists);
}

function offlineFor(runner: Runner, lists: readonly NamedView[]): Verdict {
  const lastingMs = runner.state === 'busy' ? busyMs : idleMs;
  const find = markFinding(
    runner,
    { reason: 'offline', gate: 'github' },
    (span) => `GitHub has listed it as offline for ${span}, although its instance runs`,
  );
  return { kind: 'odd', what: 'offline', lastingMs, lists, find };
}

function unlisted(runner: Runner, lists: readonly NamedView[]): Verdict {
  const find = markFinding(
    runner,
    { reason: 'unregistered', gate: 'github' },
    (span) => `GitHub has not listed it for ${span}, although its instance runs`,
  );
  return { kind: 'odd', what: 'not listed', lastingMs: unlistedMs, lists, find };
}
