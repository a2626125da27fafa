import type { Instance } from '@baton/providers';
import type { Runner as Registration } from '@baton/scaleset';
import { type Runner, runnerIdOf } from '@baton/shared/contracts';
import type { Decision, Sweep, SweepViews } from '../sweep.ts';
import { adoptedRunner } from './adopted-runner.ts';
import { decideByLooks, fine, together, unknown, unseen, type Verdict } from './decide-by-looks.ts';
import {
  findSuspicious,
  type InstanceList,
  type Lists,
  listsOf,
  type NamedView,
  type RegistrationList,
} from './lists.ts';
import { markFinding } from './mark-finding.ts';
import type { Sightings } from './sightings.ts';
import { sightingKey, steadyRunners } from './steady-runners.ts';

/**
 * An instance that is made while the lists are read has a record before it is listed. Less than the usual
 * period, so that two runs suffice whatever their jitter; in ms.
 */
const orphanMs = 50_000;
/** GitHub lists a runner from the moment its config is made: one that it leaves out for so long, it lost. */
const unlistedMs = 600_000;
/** After a loss of NATS the operator applies the scale sets again: until then nobody declares anything. */
const undeclaredMs = 600_000;

/** An instance as a list has it. */
interface Listed {
  instance: Instance;
  list: InstanceList;
}

interface Orphan extends Listed {
  github: RegistrationList | undefined;
  entry: Registration | undefined;
}

/**
 * Instances that have no record are given one. Runners that no scale set declares any more are marked, and
 * an operator has to agree. So an instance is never deleted for want of a record alone.
 */
export const orphanInstances: Sweep<Sightings> = {
  name: 'orphan-instances',
  needs: ['instances', 'registrations'],
  asksAbout: orphanedScaleSets,
  guarded: true,
  start: new Map(),
  decide: (views, memory) => {
    const lists = listsOf(views);
    return together(decideAdoptions(views, lists, memory), decideUndeclared(views, lists, memory));
  },
};

/** The scale sets of instances that may be adopted, as far as they are declared. */
function orphanedScaleSets(views: SweepViews): ReadonlySet<string> {
  const recorded = recordedRunners(views);
  const instances = [...views.instances.values()].flatMap(({ items }) => items);
  const orphans = instances.filter(
    (instance) =>
      recorded.get(instance.runnerId) !== instance.scaleSetId &&
      isOurs(views, instance) &&
      !views.wasDeleted(instance.scaleSetId, instance.runnerId),
  );
  return new Set(orphans.map(({ scaleSetId }) => scaleSetId).filter((id) => views.specs.has(id)));
}

/** The scale sets of the runners that have a record. */
function recordedRunners({ after }: SweepViews): ReadonlyMap<string, string> {
  return new Map(after.items.map(({ scaleSetId, runnerId }) => [runnerId, scaleSetId]));
}

function isOurs({ installationId }: SweepViews, { runnerId, runnerName }: Instance): boolean {
  return runnerIdOf(runnerName, installationId) === runnerId;
}

function decideAdoptions(views: SweepViews, lists: Lists, memory: Sightings): Decision<Sightings> {
  const recorded = recordedRunners(views);
  const items = [...lists.instances.values()].flatMap((list) =>
    list.instances.map((instance) => ({ instance, list })),
  );
  const isRecorded = ({ instance: { scaleSetId, runnerId } }: Listed) =>
    recorded.get(runnerId) === scaleSetId;
  // What was deleted while the lists were read may be on one of them and not on the other.
  const isDeleted = ({ instance: { scaleSetId, runnerId } }: Listed) =>
    views.wasDeleted(scaleSetId, runnerId);
  const suspicious = findSuspicious(
    items
      .filter((listed) => !isRecorded(listed) && !isDeleted(listed))
      .filter(({ instance }) => instance.state !== 'exited')
      .map((listed) => orphanOf(lists, listed))
      .map(({ github, entry }) => ({ list: github, isMissing: entry === undefined })),
  );
  return decideByLooks(views, memory, {
    items,
    keyOf: ({ list, instance }) => `${list.name} ${instance.instanceId}`,
    judge: (listed) =>
      isRecorded(listed)
        ? fine
        : judgeOrphan(views, lists, suspicious.lists, orphanOf(lists, listed)),
    problem: suspicious.problem,
  });
}

function orphanOf(lists: Lists, { instance, list }: Listed): Orphan {
  const github = lists.ofScaleSet(instance.scaleSetId);
  return { instance, list, github, entry: github?.entryOf(instance.runnerName) };
}

function judgeOrphan(
  views: SweepViews,
  lists: Lists,
  suspicious: ReadonlySet<NamedView>,
  orphan: Orphan,
): Verdict {
  const { instance, github, entry } = orphan;
  const { scaleSetId, runnerId, state } = instance;
  if (!isOurs(views, instance)) return unknown('its name is not one of ours');
  if (views.wasDeleted(scaleSetId, runnerId)) return unknown('it was deleted of late');
  if (state === 'exited')
    return adopt(views, lists, orphan, { what: 'ended', lastingMs: orphanMs });
  if (!lists.specOf(scaleSetId))
    return adopt(views, lists, orphan, { what: 'undeclared', lastingMs: undeclaredMs });
  if (!github) return unknown("no list of GitHub's");
  if (entry) return adopt(views, lists, orphan, { what: 'registered', lastingMs: orphanMs });
  if (suspicious.has(github)) return unknown('the list is suspicious');
  return adopt(views, lists, orphan, { what: 'unlisted', lastingMs: unlistedMs });
}

function adopt(
  views: SweepViews,
  lists: Lists,
  { instance, list, github, entry }: Orphan,
  { what, lastingMs }: { what: string; lastingMs: number },
): Verdict {
  const runner = adoptedRunner({
    instance,
    entry: what === 'unlisted' ? 'unlisted' : entry,
    installationId: views.installationId,
    provider: list.providerName,
    hostId: list.provider.hostId,
    generation: lists.specOf(instance.scaleSetId)?.generation,
    at: new Date(views.nowMs).toISOString(),
  });
  return {
    kind: 'odd',
    what,
    lastingMs,
    lists: github ? [list, github] : [list],
    find: ({ evidence, span }) => ({
      action: 'adopt',
      runner,
      text: `${instance.instanceId} has had no record for ${span}: it is given one, as ${runner.state}`,
      evidence,
    }),
  };
}

/** Runners that live, whatever wrote their records, and whose scale set nobody declares. */
function decideUndeclared(views: SweepViews, lists: Lists, memory: Sightings): Decision<Sightings> {
  const items = steadyRunners(views).filter((runner) => {
    const list = lists.ofProvider(runner);
    return !list || runner.hostId === list.provider.hostId;
  });
  const judge = (runner: Runner): Verdict => {
    const list = lists.ofProvider(runner);
    if (!list) return unseen;
    if (!isAlive(runner) || lists.specOf(runner.scaleSetId)) return fine;
    const find = markFinding(
      runner,
      { reason: 'orphan', gate: 'github' },
      (span) => `no scale set has declared it for ${span}`,
    );
    return { kind: 'odd', what: 'undeclared', lastingMs: undeclaredMs, lists: [list], find };
  };
  return decideByLooks(views, memory, { items, keyOf: sightingKey, judge });
}

function isAlive({ state }: Runner): boolean {
  return state === 'starting' || state === 'idle' || state === 'busy';
}
