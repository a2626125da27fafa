import { type Runner, type SessionRecord, scaleSetIdOf } from '@baton/shared/contracts';

/** The scale set that the tests work with. */
export const id = scaleSetIdOf('linux');
export const at = '2026-01-01T00:00:00.000Z';

export const aSession: SessionRecord = {
  v: 1,
  installationId: 'test',
  scaleSetId: id,
  epoch: 5,
  owner: 'l-0/1',
  session: { sessionId: 's-1', ownerName: 'baton-test-l-0', openedAt: at },
  ring: [],
};

export function aRunner(runnerId: string, part: Partial<Runner> = {}): Runner {
  return {
    v: 1,
    installationId: 'test',
    scaleSetId: id,
    runnerId,
    name: `linux-test-${runnerId}`,
    provider: 'local',
    generation: 'g',
    state: 'busy',
    createdAt: at,
    stateAt: at,
    ...part,
  };
}

export function fileOf(name: string): string {
  return `scaleSets:
  - name: ${name}
    configUrl: https://github.com/acme
    credential: main
    provider: local
    labels: [big]
`;
}
