import { gauge, type Measurement, type MetricSource } from '@baton/shared/telemetry';
import type { LimitReport } from './call-gate.ts';

/**
 * What GitHub said last of the primary limits, by the name of the credential; nothing once a limit has
 * begun anew and nobody was told of it. Of several servers the one where the least is left.
 */
export function rateLimitGauges(read: () => Iterable<[string, LimitReport[]]>): MetricSource[] {
  const each = (name: string, help: string, value: (report: Told) => number) =>
    gauge(name, help, () => measure(read(), value));
  return [
    each(
      'baton_github_rate_limit_remaining',
      "Requests that GitHub's REST API still takes from a credential before its limit begins anew, whoever makes them.",
      ({ remaining }) => remaining,
    ),
    each(
      'baton_github_rate_limit',
      "Requests that GitHub's REST API takes from a credential in one period.",
      ({ limit }) => limit,
    ),
  ];
}

type Told = LimitReport & { remaining: number; limit: number };

function* measure(
  reports: Iterable<[string, LimitReport[]]>,
  value: (report: Told) => number,
): Iterable<Measurement> {
  for (const [credential, limits] of reports) {
    const [tightest] = limits
      .filter(isTold)
      .toSorted((a, b) => a.remaining / a.limit - b.remaining / b.limit);
    if (tightest) yield { value: value(tightest), labels: { credential } };
  }
}

function isTold(report: LimitReport): report is Told {
  return report.remaining !== undefined && report.limit !== undefined;
}
