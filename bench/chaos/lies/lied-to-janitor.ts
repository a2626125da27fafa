import { enableCompileCache } from 'node:module';
import { runMain } from '@baton/shared/lifecycle';
import { loadJanitorConfig } from '../../../services/janitor/src/config.ts';
import { run } from '../../../services/janitor/src/run.ts';
import { lyingProvidersOf } from './load-lying-providers.ts';

enableCompileCache();

/** A janitor as it is, but for a provider that may lie to it. */
void runMain({
  service: 'janitor',
  loadConfig: loadJanitorConfig,
  run: (config, runtime) => run(config, runtime, lyingProvidersOf(config.instance, runtime)),
});
