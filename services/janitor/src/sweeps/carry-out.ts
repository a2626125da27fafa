import { type ActDeps, type ActResult, act } from './act.ts';
import { idOf, withoutMarked } from './core/guard.ts';
import type { Finding, SweepViews } from './sweep.ts';
import { addUp, leftReasons, type SweepResult } from './sweep-run.ts';

interface Plan {
  planned: SweepResult;
  /** What is to be done, the oldest first. */
  now: readonly Finding[];
  /** Which of it counts for the guard. */
  counted: readonly Finding[];
  views: SweepViews;
}

interface CarryOutOptions {
  signal: AbortSignal;
  announce: (planned: SweepResult) => Promise<void>;
}

/** How many acts are under way at once. */
const parallel = 16;

/**
 * Does what was decided, as far as it gets before the signal is aborted. What fails is counted and found
 * again by the next run.
 * @throws when what is to be counted could not be announced: then nothing was done.
 */
export async function carryOut(
  deps: ActDeps,
  { planned, now, counted, views }: Plan,
  { signal, announce }: CarryOutOptions,
): Promise<SweepResult> {
  const { clock } = deps;
  const at = new Date(clock.now()).toISOString();
  const withCount = (count: number) =>
    count === 0 ? planned.recent : [...planned.recent, { at, count }];
  if (counted.length > 0) await announce({ ...planned, recent: withCount(counted.length) });

  const done = new Set<Finding>();
  /** What surely was not done; a failure may have come after the write. */
  const spared = new Set<Finding>();
  const left: Record<string, number> = {};
  const leave = (reason: string) => {
    left[reason] = (left[reason] ?? 0) + 1;
  };
  await sideBySide(now, async (finding) => {
    const began = !signal.aborted;
    const under = { views, signal };
    const result = began ? await tryToAct(deps, finding, under) : leftReasons.ended;
    if (result === 'done') done.add(finding);
    else leave(result);
    if (!began || (result !== 'done' && !isUnknown(result))) spared.add(finding);
  });

  const acted = { ...planned.acted };
  for (const { action } of done) acted[action] += 1;
  const ids = new Set([...done].map(idOf));
  const marked = new Set([...done].filter(({ action }) => action === 'mark').map(idOf));
  return {
    ...planned,
    found: planned.found.filter((one) => one.held === true || ids.has(one.runnerId)),
    acted,
    left: addUp(planned.left, left),
    hold: withoutMarked(planned.hold, marked),
    recent: withCount(counted.filter((finding) => !spared.has(finding)).length),
  };
}

function isUnknown(result: string): boolean {
  return result === leftReasons.failed || result === leftReasons.ended;
}

async function tryToAct(
  deps: ActDeps,
  finding: Finding,
  under: Parameters<typeof act>[2],
): Promise<ActResult | typeof leftReasons.failed | typeof leftReasons.ended> {
  try {
    return await act(deps, finding, under);
  } catch (err) {
    if (under.signal.aborted) return leftReasons.ended;
    const { action } = finding;
    deps.log.warn({ action, runnerId: idOf(finding), err }, 'sweep could not act');
    return leftReasons.failed;
  }
}

async function sideBySide<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
}
