/** What Grafana writes beside the numbers; see its units. */
type Unit = 's' | 'short' | 'ops' | 'bytes' | 'percentunit';

export interface Query {
  /** PromQL. May name the variables `$scale_set`, `$provider` and `$__rate_interval`. */
  expr: string;
  /** With labels as `{{label}}`. */
  legend: string;
}

export interface Panel {
  title: string;
  /** What it shows, and when to care. */
  description: string;
  /** Default: lines. */
  kind?: 'lines' | 'stacked' | 'number' | 'table';
  unit: Unit;
  queries: readonly Query[];
  /** From where on it is drawn orange and red. */
  thresholds?: { warning?: number; bad: number };
  /** Of 24 columns; default: 8. */
  width?: number;
  /** There is nothing to see before something goes wrong, or has to be done by hand. */
  quiet?: true;
}

export interface Dashboard {
  /** Also the name of its file, and for ever the same: links and bookmarks hold it. */
  uid: `baton-${string}`;
  title: string;
  description: string;
  rows: readonly { title: string; panels: readonly Panel[] }[];
}

/** The selector of the scale sets that are chosen. */
export const chosen = 'scale_set=~"$scale_set"';
/** The selector of the providers that are chosen. */
export const inChosen = 'provider=~"$provider"';

/** Events a second, as a sum by these labels. */
export function rateBy(labels: string, metric: string, selector = ''): string {
  return `sum by (${labels}) (rate(${metric}{${selector}}[$__rate_interval]))`;
}

/** A quantile of a histogram, over all processes; `labels` tell apart. */
export function quantile(q: number, metric: string, options: Slice = {}): string {
  const { labels, selector = '' } = options;
  const by = labels === undefined ? 'le' : `le, ${labels}`;
  return `histogram_quantile(${q}, ${rateBy(by, `${metric}_bucket`, selector)})`;
}

interface Slice {
  labels?: string;
  selector?: string;
}

/** How half of all, most, and nearly all fare. */
export function spread(metric: string, selector = ''): Query[] {
  return [0.5, 0.95, 0.99].map((q) => ({
    expr: quantile(q, metric, { selector }),
    legend: `p${q * 100}`,
  }));
}

/** The same label on several processes that tell of one thing: the highest counts. */
export function highest(labels: string, metric: string, selector = ''): string {
  return `max by (${labels}) (${metric}{${selector}})`;
}
