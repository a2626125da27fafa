import { afterAll, beforeAll, inject } from 'vitest';
import type { ApiServer } from './testing/cluster.ts';
import { kubernetesSuite } from './testing/kube-suite.ts';
import { startRealApiServer } from './testing/real-api-server.ts';

let server: ApiServer;
beforeAll(async () => {
  server = await startRealApiServer(inject('kubeBin'));
});
afterAll(async () => await server.close());

kubernetesSuite('the kubernetes provider at a real API server', () => server);
