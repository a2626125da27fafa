import type { Runner as Registration } from '@baton/scaleset';
import type { Mark, Runner } from '@baton/shared/contracts';
import { type Absences, judgeAbsence, type Observation } from '@baton/shared/runners';

/** GitHub's list of one scope, and the records that were read before it was asked for. */
export interface RegistrationLook {
  runners: readonly Runner[];
  listed: readonly Registration[];
  absences: Absences;
  /** How long a runner of the scale set may take to come online, in ms. */
  deadlineMs: (scaleSetId: string) => number;
  /** When GitHub was asked. */
  askedAt: { nowMs: number; monotonicMs: number };
}

export interface RegistrationJudgement {
  absences: Absences;
  observed: { runner: Runner; observation: Observation }[];
  marked: { runner: Runner; mark: Pick<Mark, 'reason' | 'gate' | 'text'> }[];
}

/** A runner that got into its state later than this before the list may be missing on it, in ms. */
const listedAfterMs = 30_000;
/** What GitHub does not list any more is gone after this long, in ms. */
const patience = { ms: 20_000, mostMs: 120_000 };

/**
 * What GitHub's list says about our runners. A field that is absent is unknown and says nothing; a
 * runner that is not listed is judged by `judgeAbsence`. Every mark has gate `github`: whatever the
 * list says, GitHub itself decides when it is asked to let the runner go.
 */
export function judgeRegistrations(look: RegistrationLook): RegistrationJudgement {
  const { runners, absences, askedAt } = look;
  const byName = new Map(look.listed.map((entry) => [entry.name.toLowerCase(), entry]));
  const entryOf = ({ name }: Runner) => byName.get(name.toLowerCase());
  const old = runners.filter(
    (runner) => isRegistered(runner) && ageMs(runner, look) >= listedAfterMs,
  );
  const byId = new Map(old.map((runner) => [runner.runnerId, runner]));
  const judged = judgeAbsence(
    absences,
    {
      known: [...byId.keys()],
      isListed: (id) => {
        const runner = byId.get(id);
        return runner === undefined || entryOf(runner) !== undefined;
      },
      nowMs: askedAt.monotonicMs,
    },
    patience,
  );
  const gone = new Set(judged.gone);
  const result: RegistrationJudgement = { absences: judged.absences, observed: [], marked: [] };
  for (const runner of runners) {
    const entry = entryOf(runner);
    const observation = entry && observationOf(runner, entry);
    const mark = gone.has(runner.runnerId) ? unregistered : lateMark(runner, look);
    if (observation) result.observed.push({ runner, observation });
    else if (mark) result.marked.push({ runner, mark });
  }
  return result;
}

/** GitHub is known to have had it: it made the JIT config, or told of a job of it. */
function isRegistered({ githubRunnerId }: Runner): boolean {
  return githubRunnerId !== undefined;
}

function ageMs({ stateAt }: Runner, { askedAt }: RegistrationLook): number {
  return askedAt.nowMs - Date.parse(stateAt);
}

function observationOf({ state }: Runner, entry: Registration): Observation | undefined {
  const githubRunnerId = entry.id;
  if (entry.busy === true) {
    return state === 'busy' ? undefined : { kind: 'seen-busy', githubRunnerId };
  }
  return state === 'starting' && entry.status === 'online'
    ? { kind: 'online', githubRunnerId }
    : undefined;
}

const unregistered = {
  reason: 'unregistered',
  gate: 'github',
  text: 'GitHub does not list it any more',
} as const;

/** For one that should have come online by now, and is not seen to be. */
function lateMark(runner: Runner, look: RegistrationLook) {
  const deadlineMs = look.deadlineMs(runner.scaleSetId);
  if (runner.state !== 'starting' || ageMs(runner, look) <= deadlineMs) return undefined;
  const text = `it did not come online within ${Math.round(deadlineMs / 1_000)} s`;
  return {
    reason: 'registration-deadline',
    gate: 'github',
    text: runner.progress === undefined ? text : `${text}: ${runner.progress}`,
  } as const;
}
