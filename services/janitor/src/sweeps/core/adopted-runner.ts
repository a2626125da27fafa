import type { Instance } from '@baton/providers';
import type { Runner as Registration } from '@baton/scaleset';
import type { Runner } from '@baton/shared/contracts';
import { type Observation, transition } from '@baton/shared/runners';

interface Adoption {
  instance: Instance;
  /** What GitHub lists; `unlisted` when its list, looked at for long enough, does not have it. */
  entry: Registration | 'unlisted' | undefined;
  installationId: string;
  provider: string;
  hostId: string | undefined;
  /** Of its scale set now, where a provider cannot tell of which one its instances are. */
  generation: string | undefined;
  /** ISO 8601. */
  at: string;
}

/** What providers say that do not keep the generation of an instance. */
const unknownGeneration = 'unknown';

/**
 * The record that an instance without one is given: it starts now, so that every deadline counts from its
 * adoption, and what the lists say of it is observed as provisioners would.
 */
export function adoptedRunner(adoption: Adoption): Runner {
  const { instance, installationId, provider, hostId, at } = adoption;
  const { scaleSetId, runnerId, runnerName: name, createdAt, instanceId } = instance;
  const isUnknown = instance.generation === unknownGeneration;
  const runner: Runner = {
    v: 1,
    installationId,
    scaleSetId,
    runnerId,
    name,
    provider,
    generation: isUnknown ? (adoption.generation ?? unknownGeneration) : instance.generation,
    state: 'starting',
    createdAt,
    stateAt: at,
    instanceId,
    ...(hostId === undefined ? {} : { hostId }),
    // Who carries it out says who it was.
    adopted: { at, by: 'janitor' },
  };
  const known = withGithubId(runner, adoption.entry);
  const observation = observationOf(adoption);
  const seen = observation && transition(known, observation, at);
  return seen && seen.kind !== 'refused' ? seen.runner : known;
}

function withGithubId(runner: Runner, entry: Adoption['entry']): Runner {
  return typeof entry === 'object' ? { ...runner, githubRunnerId: entry.id } : runner;
}

function observationOf({ instance, entry, at }: Adoption): Observation | undefined {
  const { state, exitCode: code, exitedAt = at, problem } = instance;
  if (state === 'exited') return { kind: 'exited', code, at: exitedAt, problem: problem?.text };
  if (entry === undefined) return undefined;
  if (entry === 'unlisted') {
    const text = 'GitHub does not know it: it can take no job any more';
    return { kind: 'failed', failure: { class: 'unregistered', text } };
  }
  if (entry.busy === true) return { kind: 'seen-busy', githubRunnerId: entry.id };
  return entry.status === 'online' ? { kind: 'online', githubRunnerId: entry.id } : undefined;
}
