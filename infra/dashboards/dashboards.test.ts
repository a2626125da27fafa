import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { dashboards } from './dashboards.ts';
import { dashboardFiles } from './files.ts';
import { render } from './render.ts';

const panels = dashboards.flatMap(({ uid, rows }) =>
  rows.flatMap((row) => row.panels.map((panel) => ({ uid, ...panel }))),
);

describe('the files for Grafana', () => {
  test.each(dashboardFiles())(
    '$path is what "pnpm dashboards" writes',
    async ({ path, content }) => {
      expect(await readFile(path, 'utf8')).toBe(content);
    },
  );

  test('are those of the dashboards, and no others', async () => {
    const names = await readdir(new URL('grafana', import.meta.url));

    expect(names.toSorted()).toEqual(dashboards.map(({ uid }) => `${uid}.json`).toSorted());
  });
});

describe.each(dashboards)('$title', (dashboard) => {
  const rendered = render(dashboard);

  test('has a panel of its own id and place for each that is declared', () => {
    const drawn = rendered.panels ?? [];
    const places = drawn.map(({ gridPos }) => `${gridPos?.x} ${gridPos?.y}`);

    expect(drawn.filter(({ type }) => type !== 'row')).toHaveLength(
      dashboard.rows.flatMap((row) => row.panels).length,
    );
    expect(new Set(drawn.map(({ id }) => id)).size).toBe(drawn.length);
    expect(new Set(places).size).toBe(drawn.length);
  });

  test('offers every variable that its queries name', () => {
    const offered = (rendered.templating.list ?? []).map(({ name }) => name);
    const queries = JSON.stringify(dashboard.rows);
    const named = [...queries.matchAll(/\$([a-z]\w*)/g)].map(([, name = '']) => name);

    expect([...new Set(named), 'datasource'].toSorted()).toEqual(offered.toSorted());
  });
});

test.each(panels)('$uid: $title is told what it shows', ({ description, queries, thresholds }) => {
  expect(description).toMatch(/^\S.{10,}\.$/);
  expect(queries.every(({ legend }) => legend !== '')).toBe(true);
  expect(thresholds?.warning ?? 0).toBeLessThan(thresholds?.bad ?? 1);
});
