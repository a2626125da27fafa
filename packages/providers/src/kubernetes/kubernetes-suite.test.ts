import { afterAll, beforeAll, vi } from 'vitest';
import { kubernetesSuite } from './testing/kube-suite.ts';
import { StandInApiServer } from './testing/stand-in/stand-in-api-server.ts';

// Loading the library takes half a second, and much longer on a machine that is busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let server: StandInApiServer;
beforeAll(async () => {
  server = await StandInApiServer.start();
});
afterAll(async () => await server.close());

kubernetesSuite('the kubernetes provider', () => server);
