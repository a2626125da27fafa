import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { type ComputeProvider, loadProviders } from '@baton/providers';
import { runMain } from '@baton/shared/lifecycle';
import type { Clock } from '@baton/shared/time';
import { loadProvisionerConfig } from '../../services/provisioner/src/config.ts';
import { run } from '../../services/provisioner/src/run.ts';

enableCompileCache();

/** A provisioner as it is, but that its provider creates nothing while the file of this variable is there. */
void runMain({
  service: 'provisioner',
  loadConfig: loadProvisionerConfig,
  run: (config, runtime) =>
    run(config, runtime, async (file, deps) => {
      const held = runtime.env.BATON_TEST_HOLD ?? '';
      const providers = await loadProviders(file, deps);
      return new Map([...providers].map(([name, one]) => [name, holdCreates(one, held, deps.clock)]));
    }),
});

function holdCreates(inner: ComputeProvider, held: string, clock: Clock): ComputeProvider {
  return {
    ...inner,
    create: async (request, signal) => {
      while (existsSync(held)) await clock.sleep(20, signal);
      return await inner.create(request, signal);
    },
    list: (signal) => inner.list(signal),
    delete: (instanceId, signal) => inner.delete(instanceId, signal),
    capacity: (signal) => inner.capacity(signal),
  };
}
