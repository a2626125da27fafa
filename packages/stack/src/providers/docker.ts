import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  createProvider,
  type EngineAddress,
  importImage,
  type ProviderDefinition,
  providerDefinitionSchema,
  removeImage,
} from '@baton/providers';
import { ConfigError } from '@baton/shared/errors';
import { systemClock } from '@baton/shared/time';
import { root } from '../stack-files.ts';
import type { StackOptions } from '../stack-options.ts';
import type { Preparation } from './prepare-provider.ts';

const simulator = join(root, 'packages/github-sim');
const simulatedRunner = join(simulator, 'src/runner/main.ts');

/**
 * Runners as containers of the engine that DOCKER_HOST names. The simulated runner comes in an image
 * that is made for this stack and goes with it; it uses the host's network, where the simulator is.
 */
export async function prepareDocker(preparation: Preparation): Promise<ProviderDefinition> {
  const { dir, options, installationId, cleanup } = preparation;
  const { github, maxInstances, env } = options;
  const engine = engineAddress(env);
  const common = { type: 'docker', engine, maxInstances };
  if (github.kind === 'real') {
    const image = github.runnerImage === undefined ? {} : { image: github.runnerImage };
    return await verified({ ...common, ...image }, installationId);
  }
  const image = `baton-simulated-runner:${dir.slice(dir.lastIndexOf('-') + 1)}`;
  const definition = await verified(
    {
      ...common,
      image,
      command: [process.execPath, simulatedRunner],
      network: 'host',
      pullPolicy: 'never',
    },
    installationId,
  );
  cleanup.defer(() => removeImage({ engine, image }, new AbortController().signal));
  options.say(`making the image ${image}`);
  const signal = options.signal ?? new AbortController().signal;
  await importImage({ engine, image }, await filesOfSimulatedRunner(), signal);
  return definition;
}

/** @throws ConfigError when the engine cannot be used. */
async function verified(given: object, installationId: string): Promise<ProviderDefinition> {
  try {
    const { data: definition, error } = providerDefinitionSchema.safeParse(given);
    if (!definition) throw new ConfigError(error.issues.map(({ message }) => message).join('; '));
    await createProvider(definition, { installationId, clock: systemClock, env: {} });
    return definition;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const text = `--provider docker: ${error.message} (DOCKER_HOST says which engine it is)`;
    throw new ConfigError(text, { cause: error });
  }
}

/** As the docker program reads them: DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH. */
export function engineAddress(env: StackOptions['env']): EngineAddress {
  const given = env.DOCKER_HOST || 'unix:///var/run/docker.sock';
  if (given.startsWith('unix://')) return { socket: given.slice('unix://'.length) };
  const [, authority] = /^tcp:\/\/([^/]+)\/?$/.exec(given) ?? [];
  if (authority === undefined)
    throw new ConfigError(`DOCKER_HOST is ${given}: use unix:///path/to/socket or tcp://host:port`);
  if (!env.DOCKER_TLS_VERIFY) return { url: `http://${authority}`, allowPlainHttp: false };
  const folder = env.DOCKER_CERT_PATH ?? join(env.HOME ?? '/', '.docker');
  return {
    url: `https://${authority}`,
    caFile: join(folder, 'ca.pem'),
    certFile: join(folder, 'cert.pem'),
    keyFile: join(folder, 'key.pem'),
    allowPlainHttp: false,
  };
}

/** This Node with the libraries that it needs, and the program; all at the paths that they have here. */
async function filesOfSimulatedRunner(): Promise<string[]> {
  const node = process.execPath;
  const { stdout } = await promisify(execFile)('ldd', [node]);
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
  const files = [
    node,
    ...libraries,
    join(simulator, 'package.json'),
    join(simulator, 'src/runner'),
  ];
  return ['--dereference', '-C', '/', ...files.map((path) => path.slice(1))];
}
