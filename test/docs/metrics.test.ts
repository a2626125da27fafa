import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { declaredMetrics } from './declared-metrics.ts';
import { metricsPage, pageRows } from './metrics-page.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const declared = declaredMetrics();
const rows = pageRows();
const names = new Set(rows.map(({ name }) => name));

describe('the page of metrics', () => {
  test('has a row for every metric that a source declares, and for no other', () => {
    const inSources = [...new Set(declared.map(({ name }) => name))];

    expect(declared.length).toBeGreaterThan(60);
    expect(rows.map(({ name }) => name).toSorted()).toEqual(inSources.toSorted());
  });

  test.each(declared)('tells of $name in $file what it is', ({ name, kind, labels }) => {
    const row = rows.find((one) => one.name === name);

    expect(row?.kind).toBe(kind);
    expect(row?.meaning).toMatch(/\w/);
    // Some of its labels may be left to the values, where a type would say too much.
    for (const label of labels ?? []) expect(row?.labels).toContain(label);
  });

  test.each(rows)('has the unit of $name that its name has', ({ name, kind, unit }) => {
    const [, told = 'count'] = /_(seconds|bytes)(?:_total)?$/.exec(name) ?? [];

    expect(unit).toBe(told);
    expect(name.endsWith('_total')).toBe(kind === 'counter');
    if (kind === 'histogram') expect(unit).toBe('seconds');
    expect(name).not.toMatch(/_(ms|millis|minutes|hours|mb|kb)(_|$)/);
  });
});

describe('a metric that is named', () => {
  const files = globSync(['docs/**/*.md', 'README.md', 'infra/**/*'], { cwd: root }).filter(
    (file) => /\.(md|ya?ml|json)$/.test(file),
  );

  test.each(files)('in %s is on the page', (file) => {
    const named = [...readFileSync(root + file, 'utf8').matchAll(/\bbaton_[a-z0-9_]*[a-z0-9]\b/g)];
    const unknown = named
      .map(([name]) => name)
      .filter((name) => !isKnown(name))
      // `baton_lease_…`: several of them.
      .filter((name) => !metricsPage.includes(`\`${name}_…`));

    expect(unknown).toEqual([]);
  });
});

describe('who comes from elsewhere', () => {
  const sections = ['### Its listener', '### Its controller', '## Coming from GARM'];
  const linesOf = (title: string) =>
    metricsPage
      .slice(metricsPage.indexOf(title))
      .split(/\n(?=##)/, 1)
      .flatMap((section) => section.split('\n'))
      .filter((line) => line.startsWith('| `'));

  test.each(sections)('finds in "%s" ours for each of theirs, or why there is none', (title) => {
    const lines = linesOf(title).map((line) => line.split(/ +(?<!\\)\| +/));

    expect(lines.length).toBeGreaterThan(8);
    for (const [theirs = '', , ours = '', note = ''] of lines) {
      const isAnswered = ours.includes('_') || ours.includes('/readyz') || /\w{4}/.test(note);
      expect(isAnswered, theirs).toBe(true);
    }
  });
});

/** A histogram is three in Prometheus. */
function isKnown(name: string): boolean {
  const base = name.replace(/_(bucket|sum|count)$/, '');
  return names.has(name) || rows.some((row) => row.name === base && row.kind === 'histogram');
}
