/** One value of a metric and the labels that tell it from the metric's others. */
export interface Measurement {
  value: number;
  labels: Record<string, string>;
}

interface Metric {
  /** As Prometheus shows it: ends in `_total` for a counter; names its unit otherwise (`_seconds`). */
  name: string;
  help: string;
}

/** A metric whose values are numbers. `read` must be quick, touch no network, have few sets of labels. */
export interface NumberSource extends Metric {
  kind: 'counter' | 'gauge';
  /** The values of now. */
  read: () => Iterable<Measurement>;
}

/** How often something took how long: `counts` by upper bound, the last for what is above all. */
export interface Distribution {
  labels: Record<string, string>;
  sum: number;
  counts: readonly number[];
}

export interface HistogramSource extends Metric {
  kind: 'histogram';
  /** Upper bounds, ascending; the unit is that of the name. */
  bounds: readonly number[];
  read: () => Iterable<Distribution>;
}

/** A metric, and what is read when somebody scrapes. */
export type MetricSource = NumberSource | HistogramSource;

/** A number that only grows, per set of labels. Plain: no telemetry library is needed to count. */
export class Counter<Label extends string = never> implements NumberSource {
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
    if (known) known.value += value;
    else this.#values.set(key, { labels: { ...labels }, value });
  }

  /** The count of one set of labels; 0 when nothing was counted. */
  of(labels: Record<Label, string>): number {
    return this.#values.get(keyOf(labels))?.value ?? 0;
  }

  /** Tells no more of what has this label: it is gone for good. */
  forget(label: Label, value: string): void {
    forgetOf(this.#values, label, value);
  }

  read(): Iterable<Measurement> {
    return this.#values.values();
  }
}

/** From what a machine does to what people wait for, in seconds. */
const defaultBounds = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600,
];

/** How long something takes. Plain like `Counter`. */
export class Histogram<Label extends string = never> implements HistogramSource {
  readonly name: string;
  readonly help: string;
  readonly kind = 'histogram';
  readonly bounds: readonly number[];
  readonly #values = new Map<
    string,
    { labels: Record<string, string>; sum: number; counts: number[] }
  >();

  constructor({
    name,
    help,
    bounds = defaultBounds,
  }: { name: `${string}_seconds`; help: string; bounds?: readonly number[] }) {
    this.name = name;
    this.help = help;
    this.bounds = bounds;
  }

  /** In ms. Less than nothing, which clocks that differ make of a short time, counts as 0. */
  recordMs(labels: Record<Label, string>, ms: number): void {
    if (Number.isNaN(ms)) return;
    const seconds = Math.max(0, ms) / 1_000;
    const key = keyOf(labels);
    const known = this.#values.get(key);
    const value = known ?? {
      labels: { ...labels },
      sum: 0,
      counts: this.bounds.map(() => 0).concat(0),
    };
    if (!known) this.#values.set(key, value);
    const place = this.bounds.findIndex((bound) => seconds <= bound);
    const index = place === -1 ? this.bounds.length : place;
    value.sum += seconds;
    value.counts[index] = (value.counts[index] ?? 0) + 1;
  }

  /** Tells no more of what has this label: it is gone for good. */
  forget(label: Label, value: string): void {
    forgetOf(this.#values, label, value);
  }

  read(): Iterable<Distribution> {
    return this.#values.values();
  }
}

function forgetOf(
  values: Map<string, { labels: Record<string, string> }>,
  label: string,
  value: string,
): void {
  for (const [key, { labels }] of values) if (labels[label] === value) values.delete(key);
}

function keyOf(labels: Record<string, string>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** A value that is looked up when somebody scrapes. */
export function gauge(name: string, help: string, read: () => Iterable<Measurement>): NumberSource {
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
