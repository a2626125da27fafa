import type { ComputeProvider, Instance } from '@baton/providers';
import type { Runner as Registration } from '@baton/scaleset';
import type { Runner, Spec } from '@baton/shared/contracts';
import { aRunner, aSpec, at, installationId } from '@baton/testkit';
import { type Decision, type Finding, type Sweep, type SweepViews, scopeOf } from '../../sweep.ts';
import type { Sightings } from '../sightings.ts';

export const spec = aSpec();
export const scope = scopeOf(spec);
const startMs = Date.parse(at);

/** What is there at one moment, and which lists can be had. */
export interface Scene {
  /** Of the monotonic clock; the wall clock goes with it. */
  atMs: number;
  runners?: readonly Runner[];
  /** Records before the lists were read, when they were others. */
  before?: readonly Runner[];
  instances?: readonly Instance[] | 'failed';
  registrations?: readonly Registration[] | 'failed';
  specs?: readonly Spec[];
  /** Ids of runners that were deleted of late. */
  deleted?: readonly string[];
  provider?: Pick<ComputeProvider, 'hostId' | 'createTimeoutMs'>;
  /** The lists are so much older than the records, in ms. */
  staleMs?: number;
}

/** A provider that is only looked at. */
function aProvider(part: Scene['provider'] = {}): ComputeProvider {
  const refuse = () => Promise.reject(new Error('a decision acts on nothing'));
  return { ...part, create: refuse, list: refuse, delete: refuse, capacity: refuse };
}

export function viewsOf(scene: Scene): SweepViews {
  const { atMs, runners = [], before = runners, instances = [], registrations = [] } = scene;
  const { specs = [spec], deleted = [], staleMs = 0 } = scene;
  const view = <T>(items: readonly T[], ms: number) => ({
    items,
    askedMs: startMs + ms,
    askedMonotonicMs: ms,
  });
  const instanceView = instances !== 'failed' && {
    ...view(instances, atMs + 10 - staleMs),
    provider: aProvider(scene.provider),
  };
  const { credential, configUrl } = spec.declaration;
  const registrationView = registrations !== 'failed' && {
    ...view(registrations, atMs + 10 - staleMs),
    credential,
    configUrl,
  };
  return {
    before: view(before, atMs),
    after: view(runners, atMs + 20),
    wasDeleted: (_scaleSetId, runnerId) => deleted.includes(runnerId),
    instances: new Map(instanceView ? [['local', instanceView]] : []),
    registrations: new Map(registrationView ? [[scope, registrationView]] : []),
    specs: new Map(specs.map((one) => [one.scaleSetId, one])),
    installationId,
    nowMs: startMs + atMs + 30,
    monotonicMs: atMs + 30,
  };
}

/** Has one leader look at one scene after another; what it decided each time. */
export function look(sweep: Sweep<Sightings>, scenes: readonly Scene[]): Decision<Sightings>[] {
  let memory = sweep.start;
  return scenes.map((scene) => {
    const decision = sweep.decide(viewsOf(scene), memory);
    memory = decision.memory;
    return decision;
  });
}

/** What it has to do after the last of them, having found nothing before. */
export function findLast(sweep: Sweep<Sightings>, scenes: readonly Scene[]): Finding[] {
  const decisions = look(sweep, scenes);
  const early = decisions.slice(0, -1).flatMap(({ findings }) => findings);
  if (early.length > 0) throw new Error(`found too early: ${JSON.stringify(early)}`);
  return decisions.at(-1)?.findings ?? [];
}

/** The same scene at these times. */
export function at0And(ms: number, scene: Omit<Scene, 'atMs'>): Scene[] {
  return atTimes([0, ms], scene);
}

export function atTimes(times: readonly number[], scene: Omit<Scene, 'atMs'>): Scene[] {
  return times.map((atMs) => ({ atMs, ...scene }));
}

/** Looks every five minutes until then: none is so far from the last that it counts no more. */
export function until(ms: number, scene: Omit<Scene, 'atMs'>): Scene[] {
  const times = Array.from({ length: Math.ceil(ms / 300_000) }, (_, index) => index * 300_000);
  return atTimes([...times, ms], scene);
}

/** A runner with an instance and a registration. */
export function aLiving(part: Partial<Runner> = {}): Runner {
  const { runnerId = 'r1' } = part;
  return aRunner({ state: 'idle', instanceId: `i-${runnerId}`, githubRunnerId: 1, ...part });
}

export function anInstance(runner: Runner, part: Partial<Instance> = {}): Instance {
  const { scaleSetId, runnerId, name: runnerName, generation, instanceId = runnerId } = runner;
  const who = { instanceId, runnerId, runnerName, scaleSetId, generation };
  return { ...who, createdAt: at, state: 'running', ...part };
}

export function aRegistration(
  { name, githubRunnerId: id = 1 }: Pick<Runner, 'name' | 'githubRunnerId'>,
  part: Partial<Registration> = {},
): Registration {
  const [scaleSetId, createdOn, version] = [undefined, undefined, undefined];
  const shape = { scaleSetId, ephemeral: true, createdOn, version };
  return { id, name, status: 'online', busy: false, ...shape, ...part };
}

/** So many, by the number of each. */
export function many<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** What of findings says what is done to whom. */
export function told(findings: readonly Finding[]) {
  return findings.map((finding) => {
    if (finding.action === 'deregister') return { deregister: finding.registration.name };
    if (finding.action === 'adopt') return { adopt: finding.runner.runnerId };
    const { reason, gate } = finding.mark;
    return { mark: finding.runner.runnerId, reason, gate };
  });
}
