import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProviderDefinition, providerDefinitionSchema } from '@baton/providers';
import { packRunner, writeLocalExecutable } from '@baton/providers/local-executable';
import { ConfigError } from '@baton/shared/errors';
import { freePort } from '../free-port.ts';
import { pick, root } from '../stack-files.ts';
import type { Preparation } from './prepare-provider.ts';

/** Like actions/runner it reads the files beside it; the simulated one wants them in one text. */
const runScript = `#!/bin/sh
file() { printf '"%s":"%s"' "$1" "$(base64 -w0 "$1")"; }
config="{$(file .runner),$(file .credentials),$(file .credentials_rsaparams)}"
ACTIONS_RUNNER_INPUT_JITCONFIG="$(printf '%s' "$config" | base64 -w0)"
export ACTIONS_RUNNER_INPUT_JITCONFIG
exec ${join(root, 'packages/github-sim/bin/run.sh')}
`;

/** Runners behind a provider executable that runs their machines as processes in the stack's folder. */
export async function prepareExternal({
  dir,
  options,
  envOfProcess,
}: Preparation): Promise<ProviderDefinition> {
  const { github, maxInstances, env, services } = options;
  if (github.kind === 'real')
    throw new ConfigError(
      'the external provider of npm start knows only simulated runners: leave BATON_GITHUB_CONFIG_URL out, or take another --provider',
    );
  const folder = join(dir, 'external');
  await mkdir(folder);
  const files = await writeLocalExecutable(folder, {
    directory: join(folder, 'machines'),
    instanceEnv: { BATON_NODE: process.execPath, ...pick(env, ['NODE_COMPILE_CACHE']) },
  });
  const sealingKey = `local:${randomBytes(32).toString('base64')}`;
  for (let index = 0; index < services.provisioner; index += 1) {
    const port = await freePort();
    envOfProcess.set(`provisioner-${index}`, {
      BATON_BOOTSTRAP_HOST: '127.0.0.1',
      BATON_BOOTSTRAP_PORT: String(port),
      BATON_BOOTSTRAP_URL: `http://127.0.0.1:${port}`,
      BATON_SEALING_KEY: sealingKey,
    });
  }
  return providerDefinitionSchema.parse({
    type: 'external',
    ...files,
    maxInstances,
    listEveryMs: 500,
    tools: [await packRunner(folder, runScript)],
    defaults: { image: 'this host', flavor: 'process' },
  });
}
