import { readFile } from 'node:fs/promises';
import { ConfigError, errorText, TimeoutError } from '@baton/shared/errors';
import { type Clock, isAborted, withDeadline } from '@baton/shared/time';
import type { ProviderDeps } from '../provider-deps.ts';
import { ContainerStarter } from './container-starter.ts';
import { Containers } from './containers.ts';
import type { DockerDefinition } from './definition.ts';
import { DockerProvider } from './docker-provider.ts';
import { addressText, type EngineAddress, isLocal } from './engine-address.ts';
import { connectEngine } from './engine-agent.ts';
import { EngineClient } from './engine-client.ts';
import { EngineUnreachable, isRefusal } from './engine-failure.ts';
import { infoSchema } from './engine-schemas.ts';
import { ImagePuller } from './image-puller.ts';

/** An engine that is being restarted is waited for so long, in ms. */
const engineTimeoutMs = 15_000;
const lookEveryMs = 500;

/**
 * Checks what the provider needs, and builds it. An engine on this host must answer, because its id
 * says whose the instances are; one that all services share may be away for now.
 * @throws ConfigError, with what to do.
 */
export async function createDockerProvider(
  definition: DockerDefinition,
  { installationId, clock }: ProviderDeps,
): Promise<DockerProvider> {
  for (const { passwordFile } of Object.values(definition.registries))
    await verifyFile(passwordFile);
  const engine = new EngineClient(connectEngine(definition.engine));
  const hostId = await findHostId(engine, definition.engine, clock);
  const containers = new Containers({ engine, installationId, clock });
  const images = new ImagePuller({ engine, definition, clock });
  const starter = new ContainerStarter({ definition, containers, clock });
  return new DockerProvider({ definition, installationId, hostId, containers, images, starter });
}

async function verifyFile(file: string): Promise<void> {
  try {
    await readFile(file);
  } catch (error) {
    throw new ConfigError(`the docker provider cannot read ${file}: ${errorText(error)}`);
  }
}

/** The engine's id where the engine is this host's own; undefined for one that is shared. */
async function findHostId(
  engine: EngineClient,
  address: EngineAddress,
  clock: Clock,
): Promise<string | undefined> {
  try {
    const what = 'wait for the Docker engine';
    const id = await withDeadline({ clock, timeoutMs: engineTimeoutMs, what }, (signal) =>
      askUntilUp({ engine, address, clock }, signal),
    );
    return isLocal(address) ? `docker:${id}` : undefined;
  } catch (error) {
    const isAway = error instanceof TimeoutError || isPassing(error, address);
    if (isAway && !isLocal(address)) return undefined;
    throw new ConfigError(advice(address, error), { cause: error });
  }
}

interface Asking {
  engine: EngineClient;
  address: EngineAddress;
  clock: Clock;
}

async function askUntilUp(
  { engine, address, clock }: Asking,
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    try {
      const { body } = await engine.call({ method: 'GET', path: '/info' }, signal);
      return infoSchema.parse(body).ID;
    } catch (error) {
      if (isAborted(signal) || !isLocal(address) || !isPassing(error, address)) throw error;
      await clock.sleep(lookEveryMs, signal);
    }
  }
}

/** Who is refused by TLS sees a connection that was closed, and no more. */
const closed = /^(UND_ERR_SOCKET|ECONNRESET|EPIPE)$/;

/** Whether an engine that starts may give another answer. */
function isPassing(error: unknown, address: EngineAddress): boolean {
  if (!(error instanceof EngineUnreachable)) return false;
  const { reason } = error;
  if (reason === 'ENOENT' || isRefusal(reason)) return false;
  return !(addressText(address).startsWith('https:') && closed.test(reason));
}

function advice(address: EngineAddress, error: unknown): string {
  const what = `the docker provider cannot use the engine at ${addressText(address)}`;
  const reason = error instanceof EngineUnreachable ? error.reason : '';
  if (reason === 'ENOENT')
    return `${what}: there is no such socket; install and start Docker, or set engine to where it listens`;
  if (reason === 'EACCES')
    return `${what}: no rights to the socket; let the user of this service into the group that owns it`;
  if (closed.test(reason))
    return `${what}: it closed the connection; it may not take the client certificate (certFile)`;
  return `${what}: ${errorText(error)}`;
}
