import { Secret } from '@baton/shared/config';
import type { CreateRequest } from '../provider.ts';

/**
 * A create request of the installation `conformance`, for a runner that runs until stopped. No two
 * runners have one name.
 */
export function aRequest(changes: Partial<CreateRequest> = {}): CreateRequest {
  const { runnerId = 'runner-1' } = changes;
  return {
    runnerId,
    runnerName: `baton-${runnerId}`,
    scaleSetId: 'set-1',
    installationId: 'conformance',
    generation: 'g1',
    jitConfig: new Secret('run'),
    settings: undefined,
    ...changes,
  };
}
