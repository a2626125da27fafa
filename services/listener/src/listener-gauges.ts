import { conditionTypes, plannedConditionTypes, type Status } from '@baton/shared/contracts';
import { gauge, type Measurement, type NumberSource } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { StatusReporter } from './status-reporter.ts';

/** What a `StatusReporter` knows of its scale set. */
export type Known = Pick<
  StatusReporter,
  'current' | 'isOurs' | 'unservedMs' | 'pollAgeMs' | 'statistics'
>;

type Read = (status: Readonly<Status>, known: Known) => number | undefined;

/**
 * What is known of each scale set now. Only the listener that works on one tells its ages; one that
 * waits for it tells `waiting` and nothing else.
 */
export function listenerGauges(reporters: ReadonlySet<Known>, clock: Clock): NumberSource[] {
  const each = (name: string, help: string, read: Read) =>
    gauge(name, help, () => measure(reporters, read));
  const age = (at: string | undefined) =>
    at === undefined ? undefined : Math.max(0, (clock.now() - Date.parse(at)) / 1_000);
  const whilePolling = (status: Readonly<Status>, at: string | undefined) =>
    status.state === 'polling' ? age(at) : undefined;
  return [
    gauge('baton_scale_set_state', '1 for the state that a scale set is in.', () =>
      [...reporters].map(({ current: { scaleSetId, state } }) => ({
        value: 1,
        labels: { scale_set: scaleSetId, state },
      })),
    ),
    gauge('baton_scale_set_condition', '1 while something is wrong with a scale set.', () =>
      [...reporters].flatMap(conditionsOf),
    ),
    each('baton_session_age_seconds', 'Time since GitHub opened the session.', (status) =>
      whilePolling(status, status.openedAt),
    ),
    each(
      'baton_last_poll_age_seconds',
      'For how long no poll was answered, over sessions and listeners; told while one is due.',
      (_status, { pollAgeMs }) => (pollAgeMs === undefined ? undefined : pollAgeMs / 1_000),
    ),
    each('baton_last_message_age_seconds', 'Time since GitHub sent a message.', (status) =>
      age(status.lastMessageAt),
    ),
    each('baton_advertised_capacity', 'Runners that GitHub is told could run.', (status) =>
      status.state === 'polling' ? status.capacity : undefined,
    ),
    each(
      'baton_unserved_assigned_age_seconds',
      'For how long jobs have been assigned without any runner taking one.',
      ({ state }, { unservedMs }) => (state === 'polling' ? unservedMs / 1_000 : undefined),
    ),
    each(
      'baton_assigned_jobs',
      'Jobs that GitHub counts as assigned to the scale set and not completed, running ones included.',
      ({ state }, { statistics }) => whatPolls(state, statistics?.totalAssignedJobs),
    ),
    each(
      'baton_running_jobs',
      'Jobs of the scale set that GitHub counts as running.',
      ({ state }, { statistics }) => whatPolls(state, statistics?.totalRunningJobs),
    ),
    gauge(
      'baton_github_runners',
      'Runners that GitHub counts for the scale set: registered, and of those busy and idle.',
      () => [...reporters].flatMap(runnersOf),
    ),
  ];
}

/** GitHub's numbers are those of now only while there is a session. */
function whatPolls(state: Status['state'], count: number | undefined): number | undefined {
  return state === 'polling' ? count : undefined;
}

function runnersOf({ current, isOurs, statistics }: Known): Measurement[] {
  if (!isOurs || current.state !== 'polling' || !statistics) return [];
  const { totalRegisteredRunners, totalBusyRunners, totalIdleRunners } = statistics;
  const counts = [
    ['registered', totalRegisteredRunners],
    ['busy', totalBusyRunners],
    ['idle', totalIdleRunners],
  ] as const;
  const { scaleSetId } = current;
  return counts.map(([state, value]) => ({ value, labels: { scale_set: scaleSetId, state } }));
}

function* measure(reporters: ReadonlySet<Known>, read: Read): Iterable<Measurement> {
  for (const reporter of reporters) {
    if (!reporter.isOurs) continue;
    const value = read(reporter.current, reporter);
    if (value === undefined) continue;
    yield { value, labels: { scale_set: reporter.current.scaleSetId } };
  }
}

const planned: ReadonlySet<string> = new Set(plannedConditionTypes);
/** Provisioners tell of the others. */
const listened = conditionTypes.filter((type) => !planned.has(type));

/** All of ours, with 0 for those that do not hold: an alert can tell "well" from "not known". */
function conditionsOf({ current, isOurs }: Known): Measurement[] {
  if (!isOurs) return [];
  const holding = new Set(current.conditions.map(({ type }) => type));
  return listened.map((condition) => ({
    value: holding.has(condition) ? 1 : 0,
    labels: { scale_set: current.scaleSetId, condition },
  }));
}
