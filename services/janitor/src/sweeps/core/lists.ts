import type { ComputeProvider, Instance } from '@baton/providers';
import type { Runner as Registration } from '@baton/scaleset';
import { deletedRunnerKeptMs, type Runner, type Spec } from '@baton/shared/contracts';
import { isElsewhere, isSuspicious } from '@baton/shared/runners';
import { type SweepViews, scopeOf, type View } from '../sweep.ts';

/** A list with the name that it has in evidence. */
export interface NamedView {
  name: string;
  view: View<unknown>;
}

export interface InstanceList extends NamedView {
  providerName: string;
  provider: ComputeProvider;
  instances: readonly Instance[];
  byRunner: ReadonlyMap<string, Instance>;
}

export interface RegistrationList extends NamedView {
  scope: string;
  registrations: readonly Registration[];
  entryOf: (runnerName: string) => Registration | undefined;
}

/** The lists that may be decided from. */
export interface Lists {
  instances: ReadonlyMap<string, InstanceList>;
  registrations: ReadonlyMap<string, RegistrationList>;
  /** Of the provider of a runner. */
  ofProvider: (runner: Pick<Runner, 'provider'>) => InstanceList | undefined;
  /** Of the scope of a scale set. */
  ofScaleSet: (scaleSetId: string) => RegistrationList | undefined;
  specOf: (scaleSetId: string) => Spec | undefined;
}

/** An older list decides nothing: by then it is forgotten which records were deleted. In ms. */
const oldestMs = (deletedRunnerKeptMs * 3) / 4;

/** The lists of the views, but for those that are too old, or older than the records of before. */
export function listsOf(views: SweepViews): Lists {
  const { specs, monotonicMs, before } = views;
  const isFresh = ({ askedMonotonicMs }: View<unknown>) =>
    askedMonotonicMs >= before.askedMonotonicMs && monotonicMs - askedMonotonicMs <= oldestMs;
  const instances = new Map<string, InstanceList>();
  for (const [providerName, view] of views.instances) {
    if (!isFresh(view)) continue;
    const { provider, items } = view;
    const list = { name: `instances of ${providerName}`, view, providerName, provider };
    instances.set(providerName, { ...list, instances: items, byRunner: byRunner(items) });
  }
  const registrations = new Map<string, RegistrationList>();
  for (const [scope, view] of views.registrations) {
    if (!isFresh(view)) continue;
    const { configUrl, credential, items } = view;
    const byName = new Map(items.map((entry) => [entry.name.toLowerCase(), entry]));
    registrations.set(scope, {
      name: `runners of ${configUrl} as "${credential}"`,
      view,
      scope,
      registrations: items,
      entryOf: (name) => byName.get(name.toLowerCase()),
    });
  }
  const specOf = (scaleSetId: string) => specs.get(scaleSetId);
  const ofScaleSet = (scaleSetId: string) => {
    const spec = specOf(scaleSetId);
    return spec && registrations.get(scopeOf(spec));
  };
  const ofProvider = ({ provider }: Pick<Runner, 'provider'>) => instances.get(provider);
  return { instances, registrations, ofProvider, ofScaleSet, specOf };
}

/** Whether the runner is not on another host than the one whose provider this janitor has. */
export function isHere(lists: Lists, runner: Runner): boolean {
  const list = lists.ofProvider(runner);
  return !list || !isElsewhere(runner, list.provider);
}

/** Should a runner be listed twice, the one that lives counts. */
function byRunner(items: readonly Instance[]): Map<string, Instance> {
  const found = new Map<string, Instance>();
  for (const instance of items) {
    const { runnerId, state } = instance;
    if (state !== 'exited' || !found.has(runnerId)) found.set(runnerId, instance);
  }
  return found;
}

/** Lists that leave out most of what should be on them: nothing is decided about that, in any look. */
export function findSuspicious(
  expected: readonly { list: NamedView | undefined; isMissing: boolean }[],
): { lists: ReadonlySet<NamedView>; problem?: string } {
  const counts = new Map<NamedView, { known: number; missing: number }>();
  for (const { list, isMissing } of expected) {
    if (!list) continue;
    const { known, missing } = counts.get(list) ?? { known: 0, missing: 0 };
    counts.set(list, { known: known + 1, missing: missing + (isMissing ? 1 : 0) });
  }
  const suspicious = [...counts].filter(([, count]) => isSuspicious(count));
  const problem = suspicious
    .map(([{ name }, { known, missing }]) => `${name}: ${missing} of ${known} look wrong at once`)
    .join('; ');
  const lists = new Set(suspicious.map(([list]) => list));
  return problem === '' ? { lists } : { lists, problem };
}
