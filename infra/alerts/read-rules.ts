import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

/** Prometheus reads them from here; `promtool` tests them. */
export const rulesFile = fileURLToPath(new URL('baton.rules.yaml', import.meta.url));
export const rulesTestFile = fileURLToPath(new URL('baton.rules.test.yaml', import.meta.url));

const alertSchema = z.strictObject({
  alert: z.string().regex(/^Baton[A-Z]\w+$/),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.object({ severity: z.enum(['critical', 'warning']) }),
  annotations: z.strictObject({
    summary: z.string(),
    description: z.string(),
    runbook: z.string(),
  }),
});

const rulesSchema = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(alertSchema) })),
});

/** Every alert, in the order of the file. */
export const alertRules = rulesSchema
  .parse(parse(readFileSync(rulesFile, 'utf8')))
  .groups.flatMap(({ rules }) => rules);
