type Env = Readonly<Record<string, string | undefined>>;

/** What decides about traces in the environment of who started the stack: passed on to the services. */
export function telemetryVariables(env: Env): Record<string, string> {
  const set = Object.entries(env).filter(([name]) => name.startsWith('OTEL_'));
  return Object.fromEntries(set.map(([name, value]) => [name, value ?? '']));
}

/**
 * Every span goes to `url` at once, whatever the environment says about traces. What it says about
 * metrics holds.
 */
export function traceVariables(url: string): Record<string, string> {
  return {
    OTEL_SDK_DISABLED: 'false',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_TRACES_SAMPLER: 'always_on',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'none',
    // A process that is killed takes with it what it has not sent.
    OTEL_BSP_SCHEDULE_DELAY: '200',
  };
}

/** Where the environment sends traces, without what may be secret in an address; undefined: nowhere. */
export function collectorOf(env: Env): string | undefined {
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own, OTEL_EXPORTER_OTLP_ENDPOINT: all } = env;
  const endpoint = own || all;
  const exporter = env.OTEL_TRACES_EXPORTER || 'otlp';
  if (!endpoint || env.OTEL_SDK_DISABLED === 'true' || exporter !== 'otlp') return undefined;
  return URL.canParse(endpoint) ? new URL(endpoint).host : 'a collector';
}
