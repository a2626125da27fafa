import type { RunnerLife } from './runner-lives.ts';
import type { SpanIndex } from './span-index.ts';
import { placeKey, type TraceSpan } from './trace-span.ts';

/** A line of a waterfall: a span, or many that are alike. */
export interface LifeRow {
  /** The first of them. */
  span: TraceSpan;
  depth: number;
  count: number;
  /** From the start of the first to the end of the last. */
  startMs: number;
  endMs: number;
}

/** More siblings of one name become one row. */
const mostAlike = 2;
/** Only spans that nobody's work made are deeper, such as two that name each other as parents. */
const mostDeep = 20;

/**
 * What there is to show of a life: the poll and what it led to, but for other runners, then the runner
 * and all that was done for it.
 */
export function lifeRows(index: SpanIndex, { runner, poll, steps }: RunnerLife): LifeRow[] {
  const rowsOf = (spans: readonly TraceSpan[], depth: number): LifeRow[] => {
    const own = spans.filter((span) => span.name !== 'runner' || span === runner);
    return groupAlike(own).flatMap((alike) => {
      const [first] = alike;
      if (!first) return [];
      const isWhole = alike.length > 1 || depth === mostDeep;
      const below = isWhole ? [] : rowsOf(index.childrenOf(placeKey(first)), depth + 1);
      return [rowOf(first, alike, depth), ...below];
    });
  };
  if (!runner) return rowsOf(steps, 0);
  if (!poll) return rowsOf([runner], 0);
  return rowsOf(runner.parentId === poll.spanId ? [poll] : [poll, runner], 0);
}

/** Spans of one name, process and fate are a group where they are many. */
function groupAlike(spans: readonly TraceSpan[]): TraceSpan[][] {
  const groups = new Map<string, TraceSpan[]>();
  for (const span of spans) {
    const key = JSON.stringify([span.name, span.instance, span.error]);
    groups.set(key, [...(groups.get(key) ?? []), span]);
  }
  return [...groups.values()]
    .flatMap((group) => (group.length > mostAlike ? [group] : group.map((span) => [span])))
    .sort(([a], [b]) => (a?.startMs ?? 0) - (b?.startMs ?? 0));
}

function rowOf(span: TraceSpan, alike: readonly TraceSpan[], depth: number): LifeRow {
  const endMs = Math.max(...alike.map((one) => one.endMs));
  return { span, depth, count: alike.length, startMs: span.startMs, endMs };
}
