import { join } from 'node:path';
import { type ProviderDefinition, providerDefinitionSchema } from '@baton/providers';
import { pick, root } from '../stack-files.ts';
import type { StackOptions } from '../stack-options.ts';
import type { Preparation } from './prepare-provider.ts';

/** Runners as processes in the stack's folder. A real runner needs to be told less than the simulated one. */
export function prepareProcess({ dir, options }: Preparation): Promise<ProviderDefinition> {
  const { github, maxInstances, env, simulatedRunner = nodeRunner(env) } = options;
  const runner =
    github.kind === 'real' ? { command: github.runnerCommand, env: {} } : simulatedRunner;
  const definition = providerDefinitionSchema.parse({
    type: 'process',
    directory: join(github.kind === 'beside' ? github.stack.dir : dir, 'instances'),
    maxInstances,
    ...runner,
  });
  return Promise.resolve(definition);
}

function nodeRunner(env: StackOptions['env']) {
  const node = { BATON_NODE: process.execPath, ...pick(env, ['NODE_COMPILE_CACHE']) };
  return { command: [join(root, 'packages/github-sim/bin/run.sh')], env: node };
}
