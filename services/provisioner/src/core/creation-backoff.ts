import type { Plan, Spec } from '@baton/shared/contracts';
import { type BackoffPolicy, backoffMs, type Random } from '@baton/shared/retry';
import { youngMs } from './find-ends.ts';
import { type End, isoOf, isPast, type Situation } from './plan-input.ts';

type Backoff = NonNullable<Plan['backoff']>;

interface ClassPolicy {
  delay: BackoffPolicy;
  /** From so many failures on the operator is told, and one runner at a time is tried. */
  opensAfter: number;
}

const minute = 60_000;
const passing: ClassPolicy = {
  delay: { baseMs: 1_000, maxMs: 5 * minute, minMs: 500 },
  opensAfter: 3,
};
const slow: ClassPolicy = {
  delay: { baseMs: 30_000, maxMs: 15 * minute, minMs: 15_000 },
  opensAfter: 2,
};
/** What a class of failure calls for; all others are taken to pass by themselves. */
const policies: Readonly<Record<string, ClassPolicy>> = {
  'invalid-settings': {
    delay: { baseMs: 30 * minute, maxMs: 30 * minute, minMs: 20 * minute },
    opensAfter: 1,
  },
  denied: slow,
  image: slow,
  /** It took the whole bootstrap timeout already. */
  registration: { ...passing, opensAfter: 2 },
};
/** Runners that were online and ended: all are made again at once, and only then is waited. */
const onlineClasses: ReadonlySet<string> = new Set(['ended', 'unused']);
/** Room is nobody's failure; a provider that says it has some and refuses is not asked at once, in ms. */
const quotaDelay: BackoffPolicy = { baseMs: 10_000, maxMs: 10_000, minMs: 5_000 };

/**
 * Holds creation back while runners fail before they do any work.
 *
 * A wave of runners that fail together is one failure, however many they are and in however many
 * passes they are found: only runners that were named from `retryAt` on begin the next. After the
 * first failure all that are wanted are tried once more; after the next only one, until it is online.
 * A changed spec begins anew. `quota` waits for room and counts nothing.
 */
export function nextBackoff(situation: Situation): Plan['backoff'] {
  const { spec, ends, nowMs, random } = situation;
  const before = backoffBefore(situation);
  const failed = ends.filter(
    ({ kind, generation, place }) =>
      kind === 'failed' &&
      (generation === undefined || generation === spec.generation) &&
      (!before || place.namedAt >= before.retryAt),
  );
  const worst = failed.toSorted((a, b) => severity(b) - severity(a))[0];
  if (worst) {
    const failures = (before?.failures ?? 0) + (worst.class === 'quota' ? 0 : 1);
    const retryAt = isoOf(nowMs + delayMs(worst.class, failures, random));
    const reason = `${worst.class}: ${worst.text}`;
    return { failures, retryAt, reason, class: worst.class, specAt: spec.updatedAt };
  }
  return before && works(situation, before) ? undefined : before;
}

/** The back-off of the plan, if it is about the spec of now. */
function backoffBefore({ plan, spec }: Situation): Plan['backoff'] {
  const before = plan?.backoff;
  // One without a class is of an earlier version: without failures it said that nobody could be asked.
  if (!before || (before.failures === 0 && before.class === undefined)) return undefined;
  return before.specAt === undefined || before.specAt === spec.updatedAt ? before : undefined;
}

function severity({ class: name }: End): number {
  if (name === 'quota') return 0;
  return policyOf(name).delay.baseMs;
}

function policyOf(name: string | undefined): ClassPolicy {
  return policies[name ?? ''] ?? passing;
}

function delayMs(name: string, failures: number, random: Random): number {
  if (name === 'quota') return backoffMs(0, quotaDelay, random);
  const attempt = onlineClasses.has(name) ? failures - 2 : failures - 1;
  return attempt < 0 ? 0 : backoffMs(attempt, policyOf(name).delay, random);
}

/**
 * Whether a runner that was tried shows that it works again. One that merely started proves nothing but
 * that there was room: a broken image starts, and ends, every time. Where runners ended after they came
 * online, this one must have a job, or stay.
 */
function works(
  { records, spec, nowMs }: Situation,
  { retryAt, class: name = '' }: Backoff,
): boolean {
  return records.some(({ state, stateAt, job, completedIn, createdAt, generation }) => {
    if (generation !== spec.generation || createdAt < retryAt) return false;
    if (state === 'busy' || job || completedIn) return true;
    if (state === 'idle') {
      return !onlineClasses.has(name) || nowMs - Date.parse(stateAt) >= youngMs;
    }
    return state === 'starting' && name === 'quota';
  });
}

/** Whether the operator is told, and one runner at a time is tried. */
export function isOpen({ failures, class: name }: Backoff): boolean {
  return failures >= policyOf(name).opensAfter;
}

/** How many more runners may be named now. */
export function allowedByBackoff(
  backoff: Plan['backoff'],
  { kept, nowMs }: Pick<Situation, 'kept' | 'nowMs'>,
): number {
  if (!backoff) return Number.POSITIVE_INFINITY;
  if (!isPast(backoff.retryAt, nowMs)) return 0;
  const hiccup = backoff.failures === 1 && !isOpen(backoff);
  if (hiccup) return Number.POSITIVE_INFINITY;
  const probes = kept.filter(({ namedAt }) => namedAt >= backoff.retryAt).length;
  return Math.max(0, 1 - probes);
}

const advice: Readonly<Record<string, string>> = {
  'invalid-settings': 'correct the settings and apply the scale set again',
  denied: "correct the provisioner's rights in the provider",
  image: 'correct the image in the settings, or the access to its registry',
  registration: 'look at the log of an instance: the runner starts and does not reach GitHub',
  exited: 'look at the log of an instance: the runner ends before it reaches GitHub',
  ended: 'look at the log of an instance: runners end soon after they come online',
  unused: 'look at the log of an instance: runners end without an error before they have a job',
};

/** What the operator is told; undefined while there is nothing to tell. */
export function backoffText(backoff: Plan['backoff'], spec: Spec): string | undefined {
  if (!backoff || !isOpen(backoff)) return undefined;
  const { failures, reason, retryAt, class: name } = backoff;
  const times = failures === 1 ? 'once' : `${failures} times in a row`;
  const what = advice[name ?? ''] ?? `look at provider "${spec.declaration.provider}"`;
  return `runners failed ${times} before they did any work (${reason}): ${what}; one runner is tried at ${retryAt}`;
}
