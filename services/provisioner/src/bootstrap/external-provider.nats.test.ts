import { providerConformance } from '@baton/providers/testing';
import { afterAll, beforeAll } from 'vitest';
import { ExternalBench } from '../testing/external-bench.ts';
import { type Book, RecordedProvider } from '../testing/recorded-provider.ts';

type Port = Awaited<ReturnType<ExternalBench['bootstrap']>>['port'];

let bench: ExternalBench;
let ports: { ours: Port; second: Port; theirs: Port };

beforeAll(async () => {
  bench = await ExternalBench.start();
  const [ours, second, theirs] = await Promise.all([
    bench.bootstrap(),
    bench.bootstrap(),
    bench.bootstrap({ installationId: 'other' }),
  ]);
  ports = { ours: ours.port, second: second.port, theirs: theirs.port };
}, 60_000);
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

/** The whole chain: the executable starts a machine, which fetches what it needs over HTTP. */
async function makeBench() {
  const book: Book = new Map();
  const service = async (port: Port, installationId: string) => {
    const provider = await bench.provider(port, { installationId });
    return new RecordedProvider(provider, bench.stores.runners, book);
  };
  return {
    provider: await service(ports.ours, 'conformance'),
    second: await service(ports.second, 'conformance'),
    foreign: await service(ports.theirs, 'other'),
    dispose: () => Promise.resolve(),
  };
}

providerConformance('the external provider', makeBench, {
  timeoutMs: 60_000,
  tellsExitCodes: false,
});
