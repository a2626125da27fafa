import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { OtlpTarget } from './otlp-target.ts';

/** Certificates and compression it takes from OpenTelemetry's variables itself. */
export async function makeExporter(target: OtlpTarget): Promise<SpanExporter> {
  const { protocol, url, timeoutMs: timeoutMillis } = target;
  const headers = Object.fromEntries(
    Object.entries(target.headers).map(([name, value]) => [name, value.reveal()]),
  );
  switch (protocol) {
    case 'http/protobuf': {
      const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
      return new OTLPTraceExporter({ url, headers, timeoutMillis });
    }
    case 'http/json': {
      const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
      return new OTLPTraceExporter({ url, headers, timeoutMillis });
    }
    case 'grpc': {
      const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
      const { Metadata } = await import('@grpc/grpc-js');
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      return new OTLPTraceExporter({ url, metadata, timeoutMillis });
    }
  }
}
