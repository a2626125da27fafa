import { enableCompileCache } from 'node:module';
import { runMain } from '@baton/shared/lifecycle';
import { loadProvisionerConfig } from '../../services/provisioner/src/config.ts';
import { run } from '../../services/provisioner/src/run.ts';
import { booksVariable, providerName } from '../pipeline/pipeline-stack.ts';
import { BriefProvider } from './brief-provider.ts';

enableCompileCache();

/** A provisioner as it is, but for its provider. */
void runMain({
  service: 'provisioner',
  loadConfig: loadProvisionerConfig,
  run: (config, runtime) => {
    const provider = new BriefProvider(runtime.env[booksVariable] ?? '', config.instance);
    return run(config, runtime, () => Promise.resolve(new Map([[providerName, provider]])));
  },
});
