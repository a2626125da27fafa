import type { Runner as Registration } from '@baton/scaleset';
import {
  runnerIdAlphabet,
  runnerIdLength,
  runnerIdOf,
  runnerName,
  runnerNamePrefix,
  type Spec,
} from '@baton/shared/contracts';
import { type Sweep, type SweepViews, scopeOf } from '../sweep.ts';
import { decideByLooks, fine, unknown, unseen, type Verdict } from './decide-by-looks.ts';
import { type Lists, listsOf, type RegistrationList } from './lists.ts';
import type { Sightings } from './sightings.ts';

/** Times as long where instances on other hosts cannot be seen: their janitors adopt them meanwhile. */
const elsewhereTimes = 6;

/** A registration that we made, by its name. */
interface Own {
  list: RegistrationList;
  registration: Registration;
  runnerId: string;
  /** The scale sets that may have made it: those with its prefix. */
  specs: readonly Spec[];
}

const idShape = new RegExp(`^[${runnerIdAlphabet}]{${runnerIdLength}}$`);

interface Ages {
  /** Who boots has a record, or its instance has been adopted by then, in ms. */
  orphanRegistrationMs: number;
}

/**
 * Registrations that nothing stands behind any more: their names are such as only we give, they are
 * offline and have no job, and there is neither a record nor an instance of them. Everybody else's are
 * not even counted.
 */
export function orphanRegistrationsAt(ages: Ages): Sweep<Sightings> {
  return {
    name: 'orphan-registrations',
    needs: ['instances', 'registrations'],
    // What has no record may be of any scale set.
    asksAbout: 'all',
    guarded: false,
    start: new Map(),
    decide: (views, memory) => {
      const lists = listsOf(views);
      const recorded = new Set(views.after.items.map(({ runnerId }) => runnerId));
      const items = [...lists.registrations.values()].flatMap((list) => findOwn(views, list));
      return decideByLooks(views, memory, {
        items,
        keyOf: ({ list, registration }) => `${list.scope} ${registration.id}`,
        judge: (own) =>
          recorded.has(own.runnerId) ? fine : judgeUnrecorded(views, lists, { ...own, ...ages }),
      });
    },
  };
}

function findOwn({ specs, installationId }: SweepViews, list: RegistrationList): Own[] {
  const inScope = [...specs.values()].filter((spec) => scopeOf(spec) === list.scope);
  const prefixed = inScope.map((spec) => ({ spec, prefix: runnerNamePrefix(spec.declaration) }));
  return list.registrations.flatMap((registration) => {
    const { name } = registration;
    const runnerId = runnerIdOf(name, installationId);
    // The shape as well: somebody may have a runner by the name of linux-prod-1.
    if (runnerId === undefined || !idShape.test(runnerId)) return [];
    const makers = prefixed
      .filter(({ prefix }) => name.startsWith(runnerName(prefix, installationId, runnerId)))
      .map(({ spec }) => spec);
    return makers.length === 0 ? [] : [{ list, registration, runnerId, specs: makers }];
  });
}

function judgeUnrecorded(views: SweepViews, lists: Lists, own: Own & Ages): Verdict {
  const { list, registration, runnerId, specs, orphanRegistrationMs } = own;
  if (specs.some(({ scaleSetId }) => views.wasDeleted(scaleSetId, runnerId)))
    return unknown('its runner was deleted of late');
  if (registration.status !== 'offline') return unknown('GitHub does not list it as offline');
  if (registration.busy !== false) return unknown('GitHub does not say that it has no job');
  const providers = specs.map(({ declaration }) => lists.instances.get(declaration.provider));
  const seen = providers.filter((one) => one !== undefined);
  if (seen.length < providers.length) return unseen;
  if ([...lists.instances.values()].some(({ byRunner }) => byRunner.has(runnerId))) return fine;
  const isOfOneHost = seen.some(({ provider }) => provider.hostId !== undefined);
  return {
    kind: 'odd',
    what: 'orphan',
    lastingMs: isOfOneHost ? elsewhereTimes * orphanRegistrationMs : orphanRegistrationMs,
    lists: [list, ...lists.instances.values()],
    find: ({ evidence, span }) => ({
      action: 'deregister',
      registration,
      runnerId,
      scope: list.scope,
      text: `${registration.name} has been offline for ${span}, without a record and without an instance`,
      evidence,
    }),
  };
}
