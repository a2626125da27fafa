import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { alertRules, rulesTestFile } from './read-rules.ts';

const testsSchema = z.object({
  tests: z.array(
    z.object({
      promql_expr_test: z
        .array(
          z.object({ expr: z.string(), exp_samples: z.array(z.object({ labels: z.string() })) }),
        )
        .default([]),
      alert_rule_test: z
        .array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) }))
        .default([]),
    }),
  ),
});
const { tests } = testsSchema.parse(parse(readFileSync(rulesTestFile, 'utf8')));
const asked = tests.flatMap((one) => one.promql_expr_test);

/** Whether the selector of an expectation is about this alert. */
function isAbout(expr: string, alert: string): boolean {
  const [, operator, name = ''] = /alertname(=~?)"([^"]+)"/.exec(expr) ?? [];
  return operator === '=' ? name === alert : new RegExp(`^(?:${name})$`).test(alert);
}

describe.each(alertRules)('$alert', ({ alert, annotations, expr }) => {
  test('is tested to fire, and to be silent while the wait is healthy', () => {
    const about = asked.filter((one) => isAbout(one.expr, alert));
    const fires =
      about.some((one) => one.exp_samples.some(({ labels }) => isAbout(labels, alert))) ||
      tests
        .flatMap((one) => one.alert_rule_test)
        .some(({ alertname, exp_alerts }) => alertname === alert && exp_alerts.length > 0);

    expect(fires).toBe(true);
    expect(about.some((one) => one.exp_samples.length === 0)).toBe(true);
  });

  test('tells its value, unless it is a yes or no', () => {
    const isYesOrNo = /^(?:absent\(|up\{)|== 1\s*$/.test(expr);

    expect(/\{\{[^}]*\bvalue\b/.test(annotations.description)).toBe(!isYesOrNo);
  });
});

test('each alert has a name of its own', () => {
  expect(new Set(alertRules.map(({ alert }) => alert)).size).toBe(alertRules.length);
});
