import type {
  Demand,
  Plan,
  Runner,
  ScaleSetDeclaration,
  SessionRecord,
  Spec,
} from '@baton/shared/contracts';
import { scaleSetDeclarationSchema, scaleSetIdOf } from '@baton/shared/contracts';

/** What the builders agree on. */
export const installationId = 'test';
export const at = '2026-01-01T00:00:00.000Z';

export function aDeclaration(part: Partial<ScaleSetDeclaration> = {}): ScaleSetDeclaration {
  return scaleSetDeclarationSchema.parse({
    name: 'linux',
    configUrl: 'https://github.com/acme',
    credential: 'github',
    provider: 'local',
    ...part,
  });
}

type SpecPart = Partial<Omit<Spec, 'declaration'>> & { declaration?: Partial<ScaleSetDeclaration> };

/** A spec; its scale set id follows from the declared name. */
export function aSpec({ declaration, ...part }: SpecPart = {}): Spec {
  const declared = aDeclaration(declaration);
  return {
    v: 1,
    installationId,
    scaleSetId: scaleSetIdOf(declared.name),
    declaration: declared,
    generation: 'g1',
    deleting: false,
    updatedAt: at,
    ...part,
  };
}

/** A plan in which the named runners are alive and recorded. */
export function aPlan({
  alive = [],
  ...part
}: Partial<Plan> & { alive?: readonly string[] } = {}): Plan {
  return {
    v: 1,
    scaleSetId: scaleSetIdOf('linux'),
    runners: alive.map((runnerId) => ({ runnerId, recorded: true, namedAt: at })),
    free: 0,
    freeAt: at,
    ...part,
  };
}

export function aRunner(part: Partial<Runner> = {}): Runner {
  const { runnerId = 'r1' } = part;
  return {
    v: 1,
    installationId,
    scaleSetId: scaleSetIdOf('linux'),
    runnerId,
    name: `linux-${installationId}-${runnerId}`,
    provider: 'local',
    generation: 'g1',
    state: 'requested',
    createdAt: at,
    stateAt: at,
    ...part,
  };
}

export function aDemand(part: Partial<Demand> = {}): Demand {
  return { epoch: 1, seq: 0, assigned: 0, observedAt: at, ...part };
}

export function aSessionRecord(part: Partial<SessionRecord> = {}): SessionRecord {
  return {
    v: 1,
    installationId,
    scaleSetId: scaleSetIdOf('linux'),
    epoch: 1,
    owner: 'listener-0/earlier',
    ring: [],
    ...part,
  };
}
