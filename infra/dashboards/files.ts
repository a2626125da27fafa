import { fileURLToPath } from 'node:url';
import { dashboards } from './dashboards.ts';
import { render } from './render.ts';

/** The files that Grafana reads, as they should be: path and content. */
export function dashboardFiles(): { path: string; content: string }[] {
  return dashboards.map((dashboard) => ({
    path: fileURLToPath(new URL(`grafana/${dashboard.uid}.json`, import.meta.url)),
    content: `${JSON.stringify(render(dashboard), null, 2)}\n`,
  }));
}
