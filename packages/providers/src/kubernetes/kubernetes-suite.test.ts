import { afterAll, beforeAll } from 'vitest';
import { kubernetesSuite } from './testing/kube-suite.ts';
import { StandInApiServer } from './testing/stand-in/stand-in-api-server.ts';

let server: StandInApiServer;
beforeAll(async () => {
  server = await StandInApiServer.start();
});
afterAll(async () => await server.close());

kubernetesSuite('the kubernetes provider', () => server);
