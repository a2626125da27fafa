import { providerConformance } from '@baton/providers/testing';
import { ExternalBench } from '../testing/external-bench.ts';
import { type Book, RecordedProvider } from '../testing/recorded-provider.ts';

/** The whole chain: the executable starts a machine, which fetches what it needs over HTTP. */
async function makeBench(interfaceVersion: string) {
  const bench = await ExternalBench.start();
  const { runners } = bench.stores;
  const book: Book = new Map();
  const installation = async (installationId: string) => {
    const { port } = await bench.bootstrap({ installationId });
    const provider = await bench.provider(port, { installationId, interfaceVersion });
    return new RecordedProvider(provider, runners, book);
  };
  return {
    provider: await installation('conformance'),
    second: await installation('conformance'),
    foreign: await installation('other'),
    dispose: () => bench[Symbol.asyncDispose](),
  };
}

for (const version of ['v0.1.0', 'v0.1.1']) {
  providerConformance(`the external provider with ${version}`, () => makeBench(version), {
    timeoutMs: 60_000,
    tellsExitCodes: false,
  });
}
