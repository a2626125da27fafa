import { afterAll, beforeAll } from 'vitest';
import { providerConformance } from '../conformance.ts';
import { aDockerBench, startObeyEngine } from './testing/docker-bench.ts';
import type { DockerEngine } from './testing/docker-engine.ts';

let engine: DockerEngine;

beforeAll(async () => {
  engine = await startObeyEngine();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

providerConformance('the docker provider', () => aDockerBench(engine));
