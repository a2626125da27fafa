import { afterAll, beforeAll, inject } from 'vitest';
import { providerConformance } from '../conformance.ts';
import type { ApiServer } from './testing/cluster.ts';
import { aKubeBench } from './testing/kube-bench.ts';
import { startRealApiServer } from './testing/real-api-server.ts';

let server: ApiServer;
beforeAll(async () => {
  server = await startRealApiServer(inject('kubeBin'));
});
afterAll(async () => await server.close());

providerConformance(
  'the kubernetes provider at a real API server',
  async () => await aKubeBench(server),
);
