import { enableCompileCache } from 'node:module';
import { runMain } from '@baton/shared/lifecycle';
import { loadProvisionerConfig } from '../../../services/provisioner/src/config.ts';
import { run } from '../../../services/provisioner/src/run.ts';
import { lyingProvidersOf } from './load-lying-providers.ts';

enableCompileCache();

/** A provisioner as it is, but for a provider that may lie to it. */
void runMain({
  service: 'provisioner',
  loadConfig: loadProvisionerConfig,
  run: (config, runtime) => run(config, runtime, lyingProvidersOf(config.instance, runtime)),
});
