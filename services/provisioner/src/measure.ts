import { observationCounter } from '@baton/shared/runners';
import type { Metrics } from '@baton/shared/telemetry';
import { PlanMetrics } from './plan-metrics.ts';
import { gateGauges, type ProviderGates } from './provider-gate.ts';
import { RunnerMetrics } from './runner-metrics.ts';

/** What a provisioner counts and measures, for those who do it; added to what `/metrics` shows. */
export function measure(gates: ProviderGates, metrics: Metrics) {
  const observations = observationCounter();
  const planMetrics = new PlanMetrics();
  const runnerMetrics = new RunnerMetrics();
  metrics.add(observations, ...planMetrics.sources, ...runnerMetrics.sources, ...gateGauges(gates));
  return { metrics, observations, planMetrics, runnerMetrics, onChange: runnerMetrics.changed };
}
