import { join } from 'node:path';
import { type ProviderDefinition, providerDefinitionSchema } from '@baton/providers';
import { pick, root } from '../stack-files.ts';
import type { Preparation } from './prepare-provider.ts';

/** Runners as processes in the stack's folder. A real runner needs to be told less than the simulated one. */
export function prepareProcess({ dir, options }: Preparation): Promise<ProviderDefinition> {
  const { github, maxInstances, env } = options;
  const simulated = [join(root, 'packages/github-sim/bin/run.sh')];
  const node = { BATON_NODE: process.execPath, ...pick(env, ['NODE_COMPILE_CACHE']) };
  const definition = providerDefinitionSchema.parse({
    type: 'process',
    directory: join(github.kind === 'beside' ? github.stack.dir : dir, 'instances'),
    command: github.kind === 'real' ? github.runnerCommand : simulated,
    maxInstances,
    env: github.kind === 'real' ? {} : node,
  });
  return Promise.resolve(definition);
}
