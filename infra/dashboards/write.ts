import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { dashboardFiles } from './files.ts';

// `pnpm dashboards`, after a change of a dashboard.
for (const { path, content } of dashboardFiles()) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
