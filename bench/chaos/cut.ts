/** A part of a run, in ms. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/** What begins within the span, which counts from the beginning of the run, as if that were the beginning. Pure. */
export function cut<T extends { atMs: number }>(items: readonly T[], span: Span | undefined): T[] {
  if (!span) return [...items];
  return items
    .filter(({ atMs }) => atMs >= span.fromMs && atMs < span.toMs)
    .map((item) => ({ ...item, atMs: item.atMs - span.fromMs }));
}
