import type { Runner } from '@baton/shared/contracts';
import { formatDuration } from './duration.ts';
import type { EventView } from './event-view.ts';
import { runnerView } from './runner-view.ts';

interface Known {
  runnerId: string;
  record: Runner | undefined;
  views: readonly EventView[];
  nowMs: number;
}

/** What the runner is now, before the table of how it came to that. */
export function lifeSummary({ runnerId, record, views, nowMs }: Known): string {
  const name = record?.name ?? views.find(({ runnerName }) => runnerName)?.runnerName ?? runnerId;
  const traceId = views.find((view) => view.traceId)?.traceId;
  const trace = traceId ? `\ntrace ${traceId}` : '';
  return `${name}: ${record ? stateText(record, nowMs) : endText(views)}${trace}`;
}

function stateText(record: Runner, nowMs: number): string {
  const { state, stateAt, deletion } = record;
  const { reason, retryAt } = runnerView(record, undefined);
  const ago = (time: string) => formatDuration(nowMs - Date.parse(time));
  const waits = retryAt !== null && Date.parse(retryAt) > nowMs;
  return [
    `${state} for ${ago(stateAt)}`,
    deletion && deletionText(deletion),
    reason,
    waits && `tried again in ${formatDuration(Date.parse(retryAt) - nowMs)}`,
  ]
    .filter(Boolean)
    .join('; ');
}

function deletionText(deletion: NonNullable<Runner['deletion']>): string {
  const { deregistered, instanceDeleted } = deletion;
  const instance = instanceDeleted ? 'instance deleted' : 'instance not deleted yet';
  const registration = deregistered ? 'deregistered' : 'not deregistered yet';
  return `${instance}, ${registration}`;
}

function endText(views: readonly EventView[]): string {
  const deleted = views.some(({ type }) => type === 'runner.deleted');
  return deleted ? 'deleted' : 'it has no record, and its end is not among the events';
}

/** Times with the time since the event before. */
export function lifeColumns(views: readonly EventView[]) {
  const before = new Map(views.map((view, index) => [view, views[index - 1]]));
  const after = (view: EventView) => {
    const earlier = before.get(view);
    return earlier ? spanText(Date.parse(view.at) - Date.parse(earlier.at)) : null;
  };
  return [
    { heading: 'TIME', cell: ({ at }: EventView) => at },
    { heading: 'AFTER', cell: after },
    { heading: 'WHAT', cell: ({ type }: EventView) => type },
    { heading: 'WHO', cell: ({ by }: EventView) => by },
    { heading: 'TEXT', cell: ({ text }: EventView) => text },
  ];
}

/** Below a minute with parts of a second. Clocks of two hosts differ: then it may be negative. */
function spanText(ms: number): string {
  return Math.abs(ms) < 60_000 ? `${(ms / 1_000).toFixed(3)}s` : formatDuration(ms);
}
