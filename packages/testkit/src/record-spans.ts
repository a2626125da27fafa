import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import {
  makeSpansWith,
  parseTraceparent,
  type Span,
  type SpanAttributes,
  type SpanMaker,
  type SpanOptions,
} from '@baton/shared/telemetry';

/** A span as its maker was told of it. */
export interface RecordedSpan {
  name: string;
  kind: NonNullable<SpanOptions['kind']>;
  traceparent: string;
  traceId: string;
  /** Its parent's `traceparent`; undefined for the first span of a trace. */
  parent: string | undefined;
  links: readonly string[];
  attributes: Record<string, string | number | boolean>;
  events: { name: string; attributes: SpanAttributes }[];
  /** What it failed with; undefined when it did not fail. */
  error: unknown;
  /** Wall clock, ms since 1970; undefined when the span's owner left it to its maker. */
  startedAt: number | undefined;
  endedAt: number | undefined;
}

/** Everything that is told until it is disposed of, in memory. */
export interface SpanRecord extends Disposable {
  /** Spans that have ended, in that order. */
  readonly told: readonly RecordedSpan[];
  /** Those of one name. */
  named(name: string): RecordedSpan[];
  /** The one span of this name; throws when there is none, or more. */
  the(name: string): RecordedSpan;
  /** The spans whose parent this is. */
  childrenOf(span: { traceparent: string }): RecordedSpan[];
  /** Spans that were begun and have not ended: nobody is told of them. */
  readonly open: readonly RecordedSpan[];
}

/**
 * Makes the spans of this process and keeps them, for tests of what is traced. One at a time:
 * `using spans = recordSpans()`.
 */
export function recordSpans(): SpanRecord {
  const told: RecordedSpan[] = [];
  const open = new Set<RecordedSpan>();
  makeSpansWith(new RecordingMaker(told, open));
  const named = (name: string) => told.filter((span) => span.name === name);
  return {
    told,
    get open() {
      return [...open];
    },
    named,
    the: (name) => {
      const [span, ...more] = named(name);
      if (!span || more.length > 0) {
        const names = told.map((one) => one.name).join(', ');
        throw new Error(`not one span ${JSON.stringify(name)}; told were: ${names}`);
      }
      return span;
    },
    childrenOf: ({ traceparent }) => told.filter(({ parent }) => parent === traceparent),
    [Symbol.dispose]: () => makeSpansWith(undefined),
  };
}

class RecordingMaker implements SpanMaker {
  readonly #told: RecordedSpan[];
  readonly #open: Set<RecordedSpan>;
  readonly #active = new AsyncLocalStorage<string | undefined>();

  constructor(told: RecordedSpan[], open: Set<RecordedSpan>) {
    this.#told = told;
    this.#open = open;
  }

  get active(): string | undefined {
    return this.#active.getStore();
  }

  start(name: string, options: SpanOptions): Span {
    const recorded = this.#make(name, options);
    this.#open.add(recorded);
    return {
      traceparent: recorded.traceparent,
      set: (attributes) => void Object.assign(recorded.attributes, defined(attributes)),
      event: (event, attributes = {}) => void recorded.events.push({ name: event, attributes }),
      fail: (error) => {
        recorded.error = error;
      },
      end: (at) => {
        if (!this.#open.delete(recorded)) return;
        recorded.endedAt = at;
        this.#told.push(recorded);
      },
    };
  }

  record(name: string, past: Parameters<SpanMaker['record']>[1]): void {
    const { as, endedAt, error, ...options } = past;
    this.#told.push({ ...this.#make(name, options, as), endedAt, error });
  }

  mint(parent?: string): string {
    return newTraceparent(parseTraceparent(parent)?.traceId);
  }

  within<T>(span: Span, work: () => T): T {
    return this.#active.run(span.traceparent, work);
  }

  withinTrace<T>(traceparent: string | null, work: () => T): T {
    return this.#active.run(traceparent ?? undefined, work);
  }

  #make(name: string, options: SpanOptions, as?: string): RecordedSpan {
    const asked = options.parent === undefined ? this.active : (options.parent ?? undefined);
    const parent = parseTraceparent(asked) ? asked : undefined;
    const traceparent = as ?? newTraceparent(parseTraceparent(parent)?.traceId);
    return {
      name,
      kind: options.kind ?? 'internal',
      traceparent,
      traceId: parseTraceparent(traceparent)?.traceId ?? '',
      parent,
      links: (options.links ?? []).filter((link) => link !== undefined),
      attributes: defined(options.attributes ?? {}),
      events: [],
      error: undefined,
      startedAt: options.startedAt,
      endedAt: undefined,
    };
  }
}

function newTraceparent(traceId = randomBytes(16).toString('hex')): string {
  return `00-${traceId}-${randomBytes(8).toString('hex')}-01`;
}

function defined(attributes: SpanAttributes): RecordedSpan['attributes'] {
  const told: RecordedSpan['attributes'] = {};
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) told[key] = value;
  }
  return told;
}
