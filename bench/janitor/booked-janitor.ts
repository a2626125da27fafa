import { enableCompileCache } from 'node:module';
import { runMain } from '@baton/shared/lifecycle';
import { loadJanitorConfig } from '../../services/janitor/src/config.ts';
import { run } from '../../services/janitor/src/run.ts';
import { booksVariable, providerName } from '../pipeline/pipeline-stack.ts';
import { BookedProvider } from './booked-provider.ts';
import { deleteMsVariable } from './janitor-stack.ts';

enableCompileCache();

/** A janitor as it is, but for its provider. */
void runMain({
  service: 'janitor',
  loadConfig: loadJanitorConfig,
  run: (config, runtime) => {
    const { env, clock } = runtime;
    const provider = new BookedProvider({
      folder: env[booksVariable] ?? '',
      instance: config.instance,
      deleteMs: Number(env[deleteMsVariable]),
      clock,
    });
    return run(config, runtime, () => Promise.resolve(new Map([[providerName, provider]])));
  },
});
