import type { Runner } from '@baton/shared/contracts';
import { isOnline } from './places.ts';
import type { End, Place, PlanInput } from './plan-input.ts';

/** A runner that ends so soon after it was named did not end because GitHub let it go, in ms. */
export const youngMs = 60_000;
/** The runner program ends with this when GitHub says that it is too old. */
const outdatedExitCode = 7;

type Told = Pick<End, 'kind' | 'class' | 'text'>;

/**
 * How the runners of places that are given up ended, of those that did no work. The plan that has these
 * places no more is written by compare-and-set, so each end is counted once, whoever plans.
 */
export function findEnds({ spec, runners, nowMs }: PlanInput, left: readonly Place[]): End[] {
  const deadlineMs = spec.declaration.bootstrapTimeoutSeconds * 1_000;
  return left.flatMap((place) => {
    const view = runners.get(place.runnerId);
    const told =
      typeof view === 'object'
        ? endOf(view, place)
        : view === 'deleted' && !place.online && nowMs >= Date.parse(place.namedAt) + deadlineMs
          ? neverOnline
          : undefined;
    const generation = typeof view === 'object' ? view.generation : undefined;
    return told ? [{ place, generation, ...told }] : [];
  });
}

const neverOnline: Told = {
  kind: 'failed',
  class: 'registration',
  text: 'the runner did not come online in time',
};

function endOf(runner: Runner, place: Place): Told | undefined {
  const { exit, failure, job, completedIn } = runner;
  const markedFor: string | undefined = runner.mark?.reason;
  if (job || completedIn || failure?.class === 'interrupted') return undefined;
  if (exit?.code === outdatedExitCode) {
    return { kind: 'outdated', class: 'outdated', text: failure?.text ?? 'exit code 7' };
  }
  if (markedFor === 'registration-deadline') return neverOnline;
  if (markedFor === 'unregistered') return unused('GitHub removed the runner');
  const livedMs = Date.parse(exit?.at ?? runner.stateAt) - Date.parse(place.namedAt);
  if (exit?.code === 0) return endedWell(livedMs);
  const wasOnline = place.online === true || isOnline(runner);
  if (!isFailed(runner) || (wasOnline && livedMs >= youngMs)) return undefined;
  const lost = { class: 'lost', text: 'the instance of the runner is gone' };
  return { kind: 'failed', ...(failure ?? lost), ...(wasOnline ? { class: 'ended' } : {}) };
}

function endedWell(livedMs: number): Told {
  if (livedMs >= youngMs) return unused('the runner ended by itself');
  const text = `the runner ended with 0 after ${Math.round(livedMs / 1_000)} s, without a job`;
  return { kind: 'failed', class: 'unused', text };
}

function isFailed({ state, mark, failure }: Runner): boolean {
  if (state === 'failed' || state === 'lost') return true;
  const markedFor: string | undefined = mark?.reason;
  return failure !== undefined || markedFor === 'lost';
}

function unused(text: string): Told {
  return { kind: 'unused', class: 'unused', text };
}
