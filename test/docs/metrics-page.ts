import { readFileSync } from 'node:fs';

export const metricsPage = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');

interface PageRow {
  name: string;
  kind: string;
  unit: string;
  labels: string[];
  meaning: string;
}

const row =
  /^\| `((?:baton|process)_[a-z0-9_]+)` +\| (\w+) +\| (\w+) +\| ([^|]+?) +\| (.+?) +\|$/gm;

/** The metrics of the page's tables. */
export function pageRows(): PageRow[] {
  return [...metricsPage.matchAll(row)].map(
    ([, name = '', kind = '', unit = '', labels = '', meaning = '']) => ({
      name,
      kind,
      unit,
      labels: [...labels.matchAll(/`([a-z_]+)`/g)].map(([, label = '']) => label),
      meaning,
    }),
  );
}
