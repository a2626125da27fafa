import type { SweepConfirmation, SweepState } from '@baton/shared/contracts';
import type { ActDeps } from './act.ts';
import type { SweepMemory } from './any-sweep.ts';
import { carryOut } from './carry-out.ts';
import { type GuardLimits, guard, idOf, recentOf, type Verdict } from './core/guard.ts';
import type { SweepPart } from './parts.ts';
import type { Finding } from './sweep.ts';
import { addUp, leftReasons, nothingDone, type SweepResult, shownFinding } from './sweep-run.ts';
import type { SweepSpan } from './sweep-span.ts';
import type { Turns } from './turns.ts';
import type { Collected, Views, Wanted } from './views.ts';

export interface SweepDeps extends ActDeps {
  views: Views;
  turns: Turns;
  limits: GuardLimits;
  /** How many findings a run acts on. */
  batch: number;
  /** Names a hold. */
  newId: () => string;
}

/** What a leader has between two runs. */
export interface Led {
  part: SweepPart;
  memory: SweepMemory;
  /** When the lists that it looked at last were asked for. */
  seen: ReadonlyMap<string, number>;
}

/** What stands in NATS about the part. */
export interface Standing {
  state: SweepState | undefined;
  confirmation: SweepConfirmation | undefined;
}

interface RunOptions {
  standing: Standing;
  dryRun: boolean;
  /** Nothing is done any more once it is aborted. */
  signal: AbortSignal;
  /**
   * Writes down what is about to be done, before it is: who comes after a crash must know how much was
   * marked. Rejects when somebody else leads by now.
   */
  announce: (planned: SweepResult) => Promise<void>;
  span: SweepSpan;
}

/**
 * Looks once, and does what is to be done. The decision is made from what was read in this run; what it
 * found is done only where nothing has changed since. A dry run changes nothing, not even what is
 * remembered. Acts that fail are counted and left to the next run.
 * @throws when nothing could be decided, or the signal was aborted before anything was done.
 */
export async function runSweep(
  deps: SweepDeps,
  led: Led,
  options: RunOptions,
): Promise<SweepResult> {
  const { signal, dryRun, standing } = options;
  const { sweep } = led.part;
  const collected = await collect(deps, led, signal);
  const { remember, ...decision } = await deps.turns.run(
    () => led.memory.decide(collected.views),
    signal,
  );
  signal.throwIfAborted();
  const problem = [decision.problem, ...collected.problems].filter((one) => one !== undefined);
  const { findings, lookedAt } = decision;
  const verdict = guard(
    { guarded: sweep.guarded, findings, lookedAt },
    { ...knownOf(deps, standing), complete: problem.length === 0 },
  );
  const by = standing.confirmation?.by;
  const now = verdict.free.slice(0, deps.batch).map((one) => withConfirmer(one, verdict, by));
  const planned: SweepResult = {
    lookedAt,
    found: [
      ...now.map((finding) => shownFinding(finding, false)),
      ...verdict.held.map((finding) => shownFinding(finding, true)),
    ],
    acted: nothingDone,
    left: addUp(decision.left, {
      [leftReasons.later]: verdict.free.length - now.length,
      [leftReasons.held]: verdict.held.length,
    }),
    hold: verdict.hold,
    problem: problem.length === 0 ? undefined : problem.join('; '),
    recent: recentOf(standing.state?.recent ?? [], deps.clock.now()),
  };
  if (dryRun) return planned;
  remember();
  led.seen = new Map([...led.seen, ...collected.asked]);
  const counted = sweep.guarded ? now.filter((one) => isCounted(one, verdict)) : [];
  const heldBefore = standing.state?.hold?.id;
  const runners = now.map((one) => ('runner' in one ? one.runner.traceparent : undefined));
  return await options.span.around({ planned, runners, heldBefore }, () =>
    carryOut(deps, { planned, now, counted, views: collected.views }, options),
  );
}

/** Asks GitHub last where the sweep can tell from all the rest what to ask about. */
async function collect(
  { views, turns }: SweepDeps,
  led: Led,
  signal: AbortSignal,
): Promise<Collected> {
  const wanted = wantedOf(led);
  const { asksAbout } = led.part.sweep;
  if (typeof asksAbout !== 'function') return await views.collect(wanted, signal);
  const first = await views.collect({ ...wanted, registrations: 'none' }, signal);
  const registrations = await turns.run(() => asksAbout(first.views), signal);
  if (registrations.size === 0) return first;
  return await views.collect({ ...wanted, registrations }, signal);
}

function wantedOf({ part, seen }: Led): Wanted {
  const { needs, asksAbout } = part.sweep;
  const scopes = asksAbout === 'all' ? 'all' : 'with records';
  return {
    providers: part.providers,
    registrations: needs.includes('registrations') ? scopes : 'none',
    seen,
  };
}

function knownOf({ limits, clock, newId }: SweepDeps, { state, confirmation }: Standing) {
  const { recent = [], hold } = state ?? {};
  return { recent, hold, confirmation, limits, nowMs: clock.now(), newId: newId() };
}

function isCounted(finding: Finding, { confirmed }: Verdict): boolean {
  return finding.action === 'mark' && !confirmed.has(idOf(finding));
}

/** The record says who let it go. */
function withConfirmer(finding: Finding, { confirmed }: Verdict, by: string | undefined): Finding {
  if (by === undefined || finding.action !== 'mark' || !confirmed.has(idOf(finding)))
    return finding;
  const { mark } = finding;
  return { ...finding, mark: { ...mark, text: `${mark.text}; confirmed by ${by}` } };
}
