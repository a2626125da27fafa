import type { Runner } from '@baton/shared/contracts';
import { type CreateDeps, createTimeoutOf } from './create-deps.ts';

type AbandonedDeps = Pick<
  CreateDeps,
  'holder' | 'inProgress' | 'prober' | 'clock' | 'providers' | 'createTimeoutMs' | 'jitTimeoutMs'
>;

/** Two silences prove an end when they are half a second apart; ours are a little more, in ms. */
const apartMs = 600;

/**
 * Whether the creator of a runner that is `creating` will not end it. True of an earlier life of
 * this process, of a process that is proven dead, and of any whose deadlines have passed. How often a
 * command was delivered says nothing about that. Takes 600 ms when it meets a silence.
 */
export async function isAbandoned(deps: AbandonedDeps, runner: Runner): Promise<boolean> {
  const { holder, inProgress, clock } = deps;
  const { creator, runnerId, stateAt } = runner;
  if (creator?.incarnation === holder.incarnation) return !inProgress.has(runnerId);
  if (clock.now() - Date.parse(stateAt) > creatingForMs(deps, runner)) return true;
  return creator !== undefined && (await isDead(deps, creator));
}

/** No create takes longer: GitHub's deadline, the provider's, and some time to list, in ms. */
function creatingForMs(deps: AbandonedDeps, runner: Runner): number {
  return 2 * Math.max(deps.jitTimeoutMs, createTimeoutOf(deps, runner));
}

async function isDead(
  { prober, clock }: AbandonedDeps,
  creator: NonNullable<Runner['creator']>,
): Promise<boolean> {
  if (!prober.trustsSilence) return false;
  const verdict = await prober.check(creator);
  if (verdict !== 'suspect') return verdict === 'dead';
  await clock.sleep(apartMs);
  return (await prober.check(creator)) === 'dead';
}
