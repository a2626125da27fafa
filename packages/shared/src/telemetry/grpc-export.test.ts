import { eventually } from '@baton/testkit';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { inSpan } from './spans.ts';
import { trace } from './testing/traced.ts';

const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const raw = (bytes: Buffer) => bytes;

interface AskedExport {
  body: Buffer;
  authorization: unknown;
}

/** A collector that takes everything, over gRPC. */
async function startCollector() {
  const asked: AskedExport[] = [];
  const server = new Server();
  const definition = {
    path,
    requestStream: false,
    responseStream: false,
    requestDeserialize: raw,
    requestSerialize: raw,
    responseDeserialize: raw,
    responseSerialize: raw,
  };
  server.addService(
    { Export: definition },
    {
      Export: (
        call: { request: Buffer; metadata: { get(name: string): unknown[] } },
        done: (error: null, answer: Buffer) => void,
      ) => {
        asked.push({ body: call.request, authorization: call.metadata.get('authorization')[0] });
        done(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { asked, url: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => server.forceShutdown() };
}

test('spans are exported over gRPC, with the headers that are asked for', {
  timeout: 60_000,
}, async () => {
  using collector = await startCollector();
  const { tracing, outcomes } = await trace(collector, {
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20t0ken',
  });
  tracing.ready();

  await inSpan('over grpc', { parent: null }, () => undefined);

  await eventually(() => expect(outcomes().exported).toBe(1), { timeoutMs: 20_000 });
  const [first] = collector.asked;
  expect(first?.authorization).toBe('Bearer t0ken');
  expect(first?.body.toString('latin1')).toContain('over grpc');
  expect(first?.body.toString('latin1')).toContain('baton-test');
  await tracing.end(2_000);
});
