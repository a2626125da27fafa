import { captureLog, eventually, type OtlpReceiver } from '@baton/testkit';
import { loadConfig, telemetryVariables } from '../../config/index.ts';
import { systemClock } from '../../time/index.ts';
import { beginTraces } from '../begin-traces.ts';
import { Metrics } from '../metrics.ts';

/** Traces of this process, as variables of OpenTelemetry say; spans leave at once. */
export async function trace(receiver: { url: string }, env: Record<string, string> = {}) {
  const metrics = new Metrics();
  const { log, lines } = captureLog();
  const config = loadConfig(telemetryVariables, {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: '20',
    ...env,
  });
  const identity = { instance: 'test-0', installationId: 'try' };
  const clock = systemClock;
  const options = { service: 'test', config: { ...config, ...identity }, metrics, log, clock };
  const tracing = await beginTraces(options);
  if (!tracing) throw new Error('there are no traces');
  const outcomes = () => {
    const source = metrics.sources.find(({ name }) => name === 'baton_spans_total');
    if (source?.kind !== 'counter') throw new Error('spans are not counted');
    const counts = [...source.read()].map(({ labels, value }) => [labels.outcome, value]);
    return Object.fromEntries(counts) as Record<'exported' | 'failed' | 'dropped', number>;
  };
  /** What was logged above debug. */
  const said = () => lines.filter(({ level }) => Number(level) > 20);
  return { tracing, outcomes, said };
}

/** Waits for spans of these names; without violations. */
export async function received(receiver: OtlpReceiver, ...names: string[]) {
  await eventually(
    () => {
      const missing = names.filter((name) => !receiver.spans.some((span) => span.name === name));
      if (missing.length > 0) throw new Error(`not received: ${missing.join(', ')}`);
    },
    { timeoutMs: 20_000 },
  );
  if (receiver.violations.length > 0) throw new Error(receiver.violations.join('\n'));
  return receiver.spans;
}
