import { appendFile, readFile } from 'node:fs/promises';
import { enableCompileCache } from 'node:module';
import { type ComputeProvider, loadProviders } from '@baton/providers';
import { runMain } from '@baton/shared/lifecycle';
import type { Clock } from '@baton/shared/time';
import { loadProvisionerConfig } from '../../services/provisioner/src/config.ts';
import { run } from '../../services/provisioner/src/run.ts';

enableCompileCache();

/**
 * A provisioner as it is, but that a create of its provider stands still before or after the instance is made,
 * while the file that BATON_TEST_HOLD names says so. The file beside it has a dot for each that does.
 */
void runMain({
  service: 'provisioner',
  loadConfig: loadProvisionerConfig,
  run: (config, runtime) =>
    run(config, runtime, async (file, deps) => {
      const held = runtime.env.BATON_TEST_HOLD ?? '';
      const providers = await loadProviders(file, deps);
      return new Map(
        [...providers].map(([name, one]) => [name, holdCreates(one, held, deps.clock)]),
      );
    }),
});

function holdCreates(inner: ComputeProvider, file: string, clock: Clock): ComputeProvider {
  const untilReleased = async (where: string, signal: AbortSignal) => {
    const isHeld = async () => (await readFile(file, 'utf8').catch(() => '')) === where;
    if (await isHeld()) await appendFile(`${file}.${where}`, '.');
    while (await isHeld()) await clock.sleep(20, signal);
  };
  return {
    ...inner,
    create: async (request, signal) => {
      await untilReleased('before', signal);
      const created = await inner.create(request, signal);
      await untilReleased('after', signal);
      return created;
    },
    list: (signal) => inner.list(signal),
    delete: (instanceId, signal) => inner.delete(instanceId, signal),
    capacity: (signal) => inner.capacity(signal),
  };
}
