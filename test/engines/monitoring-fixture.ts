import { readFile } from 'node:fs/promises';
import type { LocalStack, ServiceName } from '@baton/stack';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { rulesFile } from '../../infra/alerts/read-rules.ts';
import { dashboards } from '../../infra/dashboards/dashboards.ts';
import type { Targets } from './prometheus.ts';

const rulesSchema = z.looseObject({
  groups: z.array(
    z.looseObject({
      rules: z.array(z.looseObject({ alert: z.string(), for: z.string().optional() })),
    }),
  ),
});

/** The rules as they are, but that an alert waits for this long instead of minutes. */
export async function hastyRules(waits: string): Promise<string> {
  const { groups } = rulesSchema.parse(parse(await readFile(rulesFile, 'utf8')));
  return stringify({
    groups: groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => (rule.for === undefined ? rule : { ...rule, for: waits })),
    })),
  });
}

/** Where the processes that run now show their metrics. */
export async function targetsOf(stack: LocalStack): Promise<Targets> {
  const of = async (service: ServiceName) =>
    await Promise.all(
      stack.services
        .filter((one) => one.service === service && one.running)
        .map(async ({ healthPort }) => `127.0.0.1:${await healthPort}`),
    );
  return {
    'baton-listener': await of('listener'),
    'baton-provisioner': await of('provisioner'),
    'baton-janitor': await of('janitor'),
  };
}

/** A line of a chart: its expression without variables, and the labels that its legend names. */
export interface Chart {
  chart: string;
  title: string;
  expr: string;
  labels: string[];
  quiet: boolean;
}

/** Every query of every dashboard, with what Grafana would put in for its variables. */
export const charts: readonly Chart[] = dashboards.flatMap(({ uid, rows }) =>
  rows.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries, quiet = false }) =>
      queries.map(({ expr, legend }) => ({
        chart: `${uid}: ${title}: ${legend}`,
        title,
        expr: expr
          .replaceAll('$__rate_interval', '15s')
          .replaceAll(/\$(scale_set|provider)/g, '.*'),
        labels: [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label),
        quiet,
      })),
    ),
  ),
);
