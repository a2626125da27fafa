import type { Runner, SessionRecord, Spec, Status } from '@baton/shared/contracts';
import type { Entry } from '@baton/shared/messaging';

/** Everything that is known about a scale set whose deletion has begun. */
export interface Deletion {
  spec: Entry<Spec>;
  status: Entry<Status> | undefined;
  session: SessionRecord | undefined;
  runners: readonly Runner[];
}

/**
 * What still stands in the way of a deletion; nothing when its records may be removed. The last
 * runner's record must be gone too: the janitor needs the spec to tell GitHub. Pure.
 */
export function findObstacles({ spec, status, session, runners }: Deletion): string[] {
  const obstacles: string[] = [];
  if (runners.length > 0) obstacles.push(runnersText(runners));
  // A status that is older than the wish to delete speaks of an earlier life.
  const said = status && status.writtenAt >= spec.writtenAt ? status.value : undefined;
  if (said?.state === 'deleted') return obstacles;
  const assigned = session?.demand?.assigned ?? 0;
  if (assigned > 0) obstacles.push(`${count(assigned, 'job')} assigned by GitHub`);
  if (session?.session) obstacles.push(`session held by ${session.owner}`);
  obstacles.push(listenerText(status?.value));
  return obstacles;
}

function runnersText(runners: readonly Runner[]): string {
  const states = new Map<string, number>();
  for (const { state } of runners) states.set(state, (states.get(state) ?? 0) + 1);
  const byState = [...states].map(([state, number]) => `${number} ${state}`).join(', ');
  const error = runners.find(({ deletion }) => deletion?.lastError)?.deletion?.lastError;
  return `${count(runners.length, 'runner')} (${byState})${error ? `, last error: ${error}` : ''}`;
}

function listenerText(status: Status | undefined): string {
  if (!status) return 'no listener has reported on it';
  const reason = status.reason ? `: ${status.reason}` : '';
  return `listener ${status.owner} reports "${status.state}"${reason}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
