import type { Secret, TelemetryConfig } from '../config/index.ts';

/** Where and how a signal is exported. */
export interface OtlpTarget {
  protocol: 'http/protobuf' | 'http/json' | 'grpc';
  url: string;
  headers: Readonly<Record<string, Secret>>;
  compression: 'gzip' | 'none';
  timeoutMs: number;
}

/** What a signal has of its own; goes before what counts for all. */
interface OwnTarget {
  endpoint: string | undefined;
  protocol: OtlpTarget['protocol'] | undefined;
  headers: OtlpTarget['headers'] | undefined;
  compression: OtlpTarget['compression'] | undefined;
  timeoutMs: number | undefined;
}

/** As the specification of OpenTelemetry's exporters says. Pure. */
export function otlpTarget(
  config: TelemetryConfig,
  path: 'v1/traces' | 'v1/metrics',
  own: OwnTarget,
): OtlpTarget {
  const protocol = own.protocol ?? config.otlpProtocol ?? 'http/protobuf';
  const base = config.otlpEndpoint ?? `http://localhost:${protocol === 'grpc' ? 4_317 : 4_318}`;
  const common = protocol === 'grpc' ? base : `${base.replace(/\/$/, '')}/${path}`;
  return {
    protocol,
    url: own.endpoint ?? common,
    headers: { ...config.otlpHeaders, ...own.headers },
    compression: own.compression ?? config.otlpCompression ?? 'none',
    timeoutMs: own.timeoutMs ?? config.otlpTimeoutMs ?? 10_000,
  };
}
