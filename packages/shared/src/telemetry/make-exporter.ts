import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { grpcOptions, httpOptions } from './exporter-options.ts';
import type { OtlpTarget } from './otlp-target.ts';

/** What exports spans, in the protocol of `target`. */
export async function makeExporter(target: OtlpTarget): Promise<SpanExporter> {
  switch (target.protocol) {
    case 'http/protobuf': {
      const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
      return new OTLPTraceExporter(httpOptions(target));
    }
    case 'http/json': {
      const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
      return new OTLPTraceExporter(httpOptions(target));
    }
    case 'grpc': {
      const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
      return new OTLPTraceExporter(await grpcOptions(target));
    }
  }
}
