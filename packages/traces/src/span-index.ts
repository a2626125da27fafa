import { placeKey, type TraceSpan } from './trace-span.ts';

/** Spans by their place and by their parent's, each once. */
export class SpanIndex {
  readonly #spans = new Map<string, TraceSpan>();
  readonly #children = new Map<string, TraceSpan[]>();

  constructor(spans: Iterable<TraceSpan>) {
    for (const span of spans) this.#spans.set(placeKey(span), span);
    for (const span of this.#spans.values()) {
      const { traceId, parentId } = span;
      if (parentId === undefined) continue;
      const key = placeKey({ traceId, spanId: parentId });
      const siblings = this.#children.get(key);
      if (siblings) siblings.push(span);
      else this.#children.set(key, [span]);
    }
    for (const siblings of this.#children.values()) siblings.sort((a, b) => a.startMs - b.startMs);
  }

  get spans(): Iterable<TraceSpan> {
    return this.#spans.values();
  }

  get(key: string): TraceSpan | undefined {
    return this.#spans.get(key);
  }

  /** In the order of their starts. */
  childrenOf(key: string): readonly TraceSpan[] {
    return this.#children.get(key) ?? [];
  }
}
