import {
  type Evidence,
  type SweepFinding,
  type SweepHold,
  type SweepName,
  type SweepState,
  sweepNames,
} from '@baton/shared/contracts';
import type { SweepReport } from '@baton/shared/messaging';
import { formatDuration } from './duration.ts';

/** One element of `baton sweep list -o json`: a sweep, or its part on a host. Fields are only ever added. */
export interface SweepView {
  sweep: string;
  /** Where a provider is of one host. */
  host: string | null;
  /** The janitor that leads it now. */
  leader: string | null;
  lastRunAt: string | null;
  tookMs: number | null;
  lookedAt: number | null;
  acted: number | null;
  /** What was left alone, by why. */
  left: Record<string, number>;
  hold: SweepHold | null;
  problem: string | null;
}

/** One element of `baton sweep run -o json`. Fields are only ever added. */
export interface SweepRunView {
  sweep: string;
  host: string | null;
  janitor: string | null;
  dryRun: boolean;
  lookedAt: number | null;
  /** Acted on, or in a dry run to be, and held; more than are listed when they do not fit into an answer. */
  found: number;
  findings: SweepFinding[];
  left: Record<string, number>;
  hold: SweepHold | null;
  /** What could not be looked at. */
  problem: string | null;
  /** Why there is no result. */
  failure: string | null;
}

interface Leader {
  sweep: string;
  host: string | null;
  identity: string;
}

/** All sweeps, in their order, each with the parts that run or ever ran. */
export function sweepViews(states: readonly SweepState[], leaders: readonly Leader[]): SweepView[] {
  return sweepNames.flatMap((sweep) => {
    const known = states.filter((state) => state.sweep === sweep);
    const led = leaders.filter((leader) => leader.sweep === sweep);
    const hosts = [...known.map(({ hostId }) => hostId ?? null), ...led.map(({ host }) => host)];
    const parts = [...new Set(hosts)].sort((a, b) => ((a ?? '') < (b ?? '') ? -1 : 1));
    return (parts.length > 0 ? parts : [null]).map((host) =>
      viewOf(sweep, host, {
        state: known.find(({ hostId }) => (hostId ?? null) === host),
        leader: led.find((one) => one.host === host)?.identity,
      }),
    );
  });
}

function viewOf(
  sweep: SweepName,
  host: string | null,
  { state, leader }: { state: SweepState | undefined; leader: string | undefined },
): SweepView {
  return {
    sweep,
    host,
    leader: leader ?? null,
    lastRunAt: state?.startedAt ?? null,
    tookMs: state?.tookMs ?? null,
    lookedAt: state?.lookedAt ?? null,
    acted: state?.acted ?? null,
    left: state?.left ?? {},
    hold: state?.hold ?? null,
    problem: state?.problem ?? null,
  };
}

export function sweepRunView(
  sweep: SweepName,
  { instance, hostId, end }: SweepReport,
  dryRun: boolean,
): SweepRunView {
  const failure = end?.kind === 'failed' ? (end.problem ?? 'it failed') : null;
  return {
    sweep,
    host: hostId ?? null,
    janitor: instance,
    dryRun,
    lookedAt: end?.lookedAt ?? null,
    found: end?.count ?? 0,
    findings: end?.findings ?? [],
    left: end?.left ?? {},
    hold: end?.hold ?? null,
    problem: failure === null ? (end?.problem ?? null) : null,
    failure: end
      ? failure
      : 'it was begun, and its result did not come in time: give a longer --timeout',
  };
}

/** "seen once 3, too young 1". */
export function leftText(left: Readonly<Record<string, number>>): string {
  return Object.entries(left)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');
}

/** "2 looks in 1m5s; instances of local: 20, 3s ago". */
export function evidenceText(evidence: Evidence | undefined, nowMs: number): string {
  if (!evidence) return '';
  const { since, looks, views } = evidence;
  const seen =
    since === undefined
      ? []
      : [`${looks ?? 1} looks in ${formatDuration(nowMs - Date.parse(since))}`];
  const lists = views.map(
    ({ view, at, count }) => `${view}: ${count}, ${formatDuration(nowMs - Date.parse(at))} ago`,
  );
  return [...seen, ...lists].join('; ');
}
