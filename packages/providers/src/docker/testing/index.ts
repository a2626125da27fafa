export { aDockerProvider, obeyImage, startObeyEngine } from './docker-bench.ts';
export { DockerEngine, type EngineOptions } from './docker-engine.ts';
