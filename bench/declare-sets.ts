import { generationOf, scaleSetDeclarationSchema, scaleSetIdOf } from '@baton/shared/contracts';
import type { Nats } from '@baton/shared/messaging';
import { openPlans, openSpecs } from '@baton/shared/stores';
import type { Clock } from '@baton/shared/time';

interface DeclareOptions {
  configUrl: string;
  installationId: string;
  clock: Clock;
}

/** Runners that a set could run: what its listener advertises with every poll. */
const capacity = 10;
const writeParallel = 64;
/** A plan is believed for a minute; these must last as long as the benchmark. */
const planLifeMs = 24 * 3_600_000;

/**
 * Writes specs, and plans with free capacity, as the command line and a provisioner would. Nobody
 * writes them again: the listener reads them as often as ever, and is never woken by a change.
 */
export async function declareSets(
  nats: Nats,
  names: readonly string[],
  options: DeclareOptions,
): Promise<void> {
  const [specs, plans] = await Promise.all([openSpecs(nats), openPlans(nats)]);
  const nowMs = options.clock.now();
  for (let start = 0; start < names.length; start += writeParallel) {
    const batch = names.slice(start, start + writeParallel);
    await Promise.all(
      batch.flatMap((name) => {
        const spec = specOf(name, nowMs, options);
        const freeAt = new Date(nowMs + planLifeMs).toISOString();
        const { scaleSetId } = spec;
        return [
          plans.put(scaleSetId, { v: 1, scaleSetId, runners: [], free: capacity, freeAt }),
          specs.put(scaleSetId, spec),
        ];
      }),
    );
  }
}

function specOf(name: string, nowMs: number, { configUrl, installationId }: DeclareOptions) {
  const declaration = scaleSetDeclarationSchema.parse({
    name,
    configUrl,
    credential: 'github',
    provider: 'local',
    maxRunners: capacity,
  });
  return {
    v: 1 as const,
    installationId,
    scaleSetId: scaleSetIdOf(name),
    declaration,
    generation: generationOf(declaration),
    deleting: false,
    updatedAt: new Date(nowMs).toISOString(),
  };
}
