export { aDockerProvider, startObeyEngine } from './docker-bench.ts';
export { DockerEngine } from './docker-engine.ts';
