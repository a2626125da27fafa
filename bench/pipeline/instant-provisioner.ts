import { enableCompileCache } from 'node:module';
import { runMain } from '@baton/shared/lifecycle';
import { loadProvisionerConfig } from '../../services/provisioner/src/config.ts';
import { run } from '../../services/provisioner/src/run.ts';
import { InstantProvider } from './instant-provider.ts';
import { booksVariable, providerName } from './pipeline-stack.ts';

enableCompileCache();

/** A provisioner as it is, but for its provider. */
void runMain({
  service: 'provisioner',
  loadConfig: loadProvisionerConfig,
  run: (config, runtime) => {
    const folder = runtime.env[booksVariable] ?? '';
    const provider = new InstantProvider(folder, config.instance);
    return run(config, runtime, () => Promise.resolve(new Map([[providerName, provider]])));
  },
});
