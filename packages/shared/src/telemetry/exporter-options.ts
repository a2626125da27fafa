import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import type { OtlpTarget } from './otlp-target.ts';

/** For exporters over HTTP. Certificates they take from OpenTelemetry's variables themselves: files. */
export function httpOptions(target: OtlpTarget) {
  return { ...commonOptions(target), headers: revealed(target) };
}

/** For exporters over gRPC. */
export async function grpcOptions(target: OtlpTarget) {
  const { Metadata } = await import('@grpc/grpc-js');
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(revealed(target))) metadata.set(name, value);
  return { ...commonOptions(target), metadata };
}

function commonOptions({ url, timeoutMs: timeoutMillis, compression }: OtlpTarget) {
  const { GZIP, NONE } = CompressionAlgorithm;
  return { url, timeoutMillis, compression: compression === 'gzip' ? GZIP : NONE };
}

function revealed({ headers }: OtlpTarget): Record<string, string> {
  const pairs = Object.entries(headers).map(([name, value]) => [name, value.reveal()] as const);
  return Object.fromEntries(pairs);
}
