import { afterAll, beforeAll } from 'vitest';
import { providerConformance } from '../conformance.ts';
import { aKubeBench } from './testing/kube-bench.ts';
import { StandInApiServer } from './testing/stand-in/stand-in-api-server.ts';

let server: StandInApiServer;
beforeAll(async () => {
  server = await StandInApiServer.start();
});
afterAll(async () => await server.close());

providerConformance('the kubernetes provider', async () => await aKubeBench(server));
