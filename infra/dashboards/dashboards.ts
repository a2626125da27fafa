import type { Dashboard } from './dashboard.ts';
import { janitor } from './janitor.ts';
import { listener } from './listener.ts';
import { overview } from './overview.ts';
import { platform } from './platform.ts';
import { provisioner } from './provisioner.ts';

/** All dashboards; each is a file in `grafana/`. */
export const dashboards: readonly Dashboard[] = [
  overview,
  listener,
  provisioner,
  janitor,
  platform,
];
