/** One value of a metric and the labels that tell it from the metric's others. */
export interface Measurement {
  value: number;
  labels: Record<string, string>;
}

/** A metric: its name as Prometheus shows it, and what is read when somebody scrapes. */
export interface MetricSource {
  /** Ends in `_total` for a counter; names its unit otherwise (`_seconds`, `_bytes`). */
  name: string;
  help: string;
  kind: 'counter' | 'gauge';
  /** The values of now. Must be quick, touch no network, and have few sets of labels. */
  read: () => Iterable<Measurement>;
}

/** A number that only grows, per set of labels. Plain: no telemetry library is needed to count. */
export class Counter<Label extends string = never> implements MetricSource {
  readonly name: string;
  readonly help: string;
  readonly kind = 'counter';
  readonly #values = new Map<string, Measurement>();

  constructor({ name, help }: { name: `${string}_total`; help: string }) {
    this.name = name;
    this.help = help;
  }

  add(labels: Record<Label, string>, value = 1): void {
    const key = keyOf(labels);
    const known = this.#values.get(key);
    this.#values.set(key, { labels: { ...labels }, value: (known?.value ?? 0) + value });
  }

  /** The count of one set of labels; 0 when nothing was counted. */
  of(labels: Record<Label, string>): number {
    return this.#values.get(keyOf(labels))?.value ?? 0;
  }

  read(): Iterable<Measurement> {
    return this.#values.values();
  }
}

function keyOf(labels: Record<string, string>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** A value that is looked up when somebody scrapes. */
export function gauge(name: string, help: string, read: () => Iterable<Measurement>): MetricSource {
  return { name, help, kind: 'gauge', read };
}

/** The metrics of a process; services add theirs, `/metrics` shows them all. */
export class Metrics {
  readonly #sources = new Map<string, MetricSource>();

  /** Adds metrics; one of the same name is replaced. */
  add(...sources: MetricSource[]): void {
    for (const source of sources) this.#sources.set(source.name, source);
  }

  get sources(): MetricSource[] {
    return [...this.#sources.values()];
  }
}
