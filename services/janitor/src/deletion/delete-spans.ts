import { createHash } from 'node:crypto';
import type { Runner } from '@baton/shared/contracts';
import { recordRunnerSpan, runnerAttributes } from '@baton/shared/runners';
import {
  attributes,
  inSpan,
  parseTraceparent,
  recordSpan,
  type Span,
} from '@baton/shared/telemetry';
import type { Step } from './core/next-step.ts';

const names: Readonly<Record<Step, string>> = {
  'delete-instance': 'delete instance',
  deregister: 'deregister runner',
  'remove-record': 'remove record',
};

/** One attempt at a step of a runner's deletion, as a span under `delete runner`. */
export async function inStepSpan<T>(
  step: Step,
  runner: Runner,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const { mark, deletion } = runner;
  const told = {
    ...runnerAttributes(runner),
    [attributes.markReason]: mark?.reason,
    [attributes.attempt]: (deletion?.attempts ?? 0) + 1,
  };
  const options = { parent: deletionOf(runner) ?? null, attributes: told };
  return await inSpan(names[step], options, work);
}

/**
 * Tells of a deletion that is over, from the mark to now: the record was removed, or the mark was taken
 * back. To be called by who wrote that, after it. That is one process, so it is told once; the steps
 * under it were told by whoever did them. It is missing when that process is killed in between.
 */
export function recordDeletion(runner: Runner, outcome: 'deleted' | 'kept', endedAt: number): void {
  const { traceparent: parent, mark, deletion } = runner;
  const as = deletionOf(runner);
  if (as === undefined || !mark) return;
  const startedAt = Date.parse(mark.at);
  recordSpan('delete runner', {
    ...{ as, parent, startedAt, endedAt: Math.max(startedAt, endedAt) },
    attributes: {
      ...runnerAttributes(runner),
      [attributes.markReason]: mark.reason,
      [attributes.attempt]: (deletion?.attempts ?? 0) + 1,
      [attributes.outcome]: outcome,
    },
  });
}

/** Tells of a runner that is gone, and of its deletion: see `recordDeletion`. */
export function recordEnd(runner: Runner, goneAt: number): void {
  recordDeletion(runner, 'deleted', goneAt);
  recordRunnerSpan(runner, goneAt);
}

/**
 * The context of the span `delete runner`: any janitor that does a step of it comes to the same, so that
 * nothing has to be written down. Another for each mark: one may be taken back.
 */
function deletionOf({ traceparent, mark }: Runner): string | undefined {
  const own = parseTraceparent(traceparent);
  if (!own || !mark) return undefined;
  const spanId = createHash('sha256')
    .update(`${traceparent} ${mark.at}`)
    .digest('hex')
    .slice(0, 16);
  return `00-${own.traceId}-${spanId}-${own.sampled ? '01' : '00'}`;
}
