import { lifeRows } from './life-rows.ts';
import type { RunnerLife } from './runner-lives.ts';
import type { SpanIndex } from './span-index.ts';

/** A life for programs: what the waterfall shows, with all attributes. Times are in ms. */
export function lifeView(index: SpanIndex, life: RunnerLife) {
  return {
    ...lifeSummary(life),
    spans: lifeRows(index, life).map(({ span, depth, count, ...row }) => ({
      startMs: row.startMs - life.zeroMs,
      tookMs: row.endMs - row.startMs,
      process: span.instance,
      name: span.name,
      depth,
      count,
      spanId: span.spanId,
      attributes: span.attributes,
      error: span.error ?? null,
    })),
  };
}

/** The same without what was done for it. */
export function lifeSummary(life: RunnerLife) {
  const { runnerId, runnerName, scaleSetId, traceId, zeroMs, endMs, ownMs, runner, poll } = life;
  return {
    runnerId,
    name: runnerName,
    scaleSetId,
    traceId,
    /** When the poll was answered. */
    zeroAt: new Date(zeroMs).toISOString(),
    tookMs: endMs - zeroMs,
    ownMs,
    /** Whether its end was told, and the poll that asked for it. */
    hasEnded: runner !== undefined,
    hasPoll: poll !== undefined,
  };
}
