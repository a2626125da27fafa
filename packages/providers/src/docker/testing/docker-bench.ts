import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@baton/shared/time';
import type { ProviderBench } from '../../conformance.ts';
import type { ComputeProvider } from '../../provider.ts';
import { createProvider, providerDefinitionSchema } from '../../registry.ts';
import { DockerEngine, type EngineOptions } from './docker-engine.ts';

/** An image of busybox whose runner program obeys the JIT config. */
export const obeyImage = 'baton-test/obey:1';
const obeyProgram = fileURLToPath(new URL('./obey.sh', import.meta.url));
const applets = ['sh', 'sleep', 'cat', 'tail', 'test', 'touch', 'id', 'dd', 'ls', 'ps', 'grep'];

/** An engine with the test image. Dispose of it. */
export async function startObeyEngine(options?: EngineOptions): Promise<DockerEngine> {
  const engine = await DockerEngine.start(options);
  const folder = join(engine.dir, 'rootfs');
  await makeRootfs(folder);
  await engine.importImage(obeyImage, folder);
  return engine;
}

async function makeRootfs(folder: string): Promise<void> {
  await mkdir(join(folder, 'bin'), { recursive: true });
  await mkdir(join(folder, 'tmp'));
  await copyFile('/bin/busybox', join(folder, 'bin/busybox'));
  await copyFile(obeyProgram, join(folder, 'obey.sh'));
  for (const applet of applets) await symlink('busybox', join(folder, 'bin', applet));
}

interface Changes {
  installationId?: string;
  [definitionField: string]: unknown;
}

/** A docker provider on the engine, as a service would build it. */
export async function aDockerProvider(
  socket: string,
  { installationId = 'conformance', ...changes }: Changes = {},
): Promise<ComputeProvider> {
  const definition = providerDefinitionSchema.parse({
    type: 'docker',
    engine: { socket },
    image: obeyImage,
    command: ['/obey.sh'],
    network: 'none',
    stopTimeoutMs: 1_000,
    ...changes,
  });
  return await createProvider(definition, { installationId, clock: systemClock, env: {} });
}

export async function aDockerBench({ socket }: DockerEngine): Promise<ProviderBench> {
  return {
    provider: await aDockerProvider(socket),
    foreign: await aDockerProvider(socket, { installationId: 'other' }),
    dispose: async () => undefined,
  };
}
