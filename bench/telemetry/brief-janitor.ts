import { enableCompileCache } from 'node:module';
import { runMain } from '@baton/shared/lifecycle';
import { loadJanitorConfig } from '../../services/janitor/src/config.ts';
import { run } from '../../services/janitor/src/run.ts';
import { booksVariable, providerName } from '../pipeline/pipeline-stack.ts';
import { BriefProvider } from './brief-provider.ts';

enableCompileCache();

/** A janitor as it is, but for its provider. */
void runMain({
  service: 'janitor',
  loadConfig: loadJanitorConfig,
  run: (config, runtime) => {
    const provider = new BriefProvider(runtime.env[booksVariable] ?? '', config.instance);
    return run(config, runtime, () => Promise.resolve(new Map([[providerName, provider]])));
  },
});
