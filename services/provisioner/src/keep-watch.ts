import type { ComputeProvider } from '@baton/providers';
import { type Runtime, repeat } from '@baton/shared/lifecycle';
import type { Random } from '@baton/shared/retry';
import { type PassDeps, periodicPass } from './periodic-pass.ts';
import { SideBySide } from './side-by-side.ts';
import { watchInstances } from './watch-instances.ts';
import { type RegistrationDeps, RegistrationWatch } from './watch-registrations.ts';

type KeepWatchDeps = Omit<PassDeps, 'passes'> &
  RegistrationDeps & {
    providers: ReadonlyMap<string, ComputeProvider>;
    random: Random;
    health: Runtime['health'];
    /** Time between two passes, in ms. */
    passEveryMs: number;
  };

/**
 * All that a provisioner does by the clock, until the signal is aborted: the level-triggered pass,
 * GitHub's list of runners, and each provider's list of instances. Resolves when nothing of it is
 * under way any more.
 */
export async function keepWatch(given: KeepWatchDeps, signal: AbortSignal): Promise<void> {
  const deps = { ...given, log: given.log.child({ component: 'plan' }) };
  const instances = { ...given, log: given.log.child({ component: 'provider' }) };
  const github = { ...given, log: given.log.child({ component: 'github' }) };
  const { clock, log, providers, passEveryMs: everyMs } = deps;
  const passes = new SideBySide({
    clock,
    onError: (scaleSetId, err) =>
      log.warn({ scaleSetId, err }, 'scale set could not be looked after'),
  });
  const registrations = new RegistrationWatch(github);
  await Promise.all([
    ...[...providers].map(([name, provider]) =>
      watchInstances(instances, { name, provider }, signal),
    ),
    repeat({ ...deps, what: 'scale sets', everyMs, signal }, () =>
      periodicPass({ ...deps, passes }),
    ),
    repeat({ ...github, what: 'registrations', everyMs, signal }, () => registrations.look(signal)),
  ]);
  await Promise.all([passes.idle(), registrations.idle()]);
}
