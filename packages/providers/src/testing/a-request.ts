import { Secret } from '@baton/shared/config';
import type { CreateRequest } from '../provider.ts';

/** A create request of the installation `conformance`, for a runner that runs until stopped. */
export function aRequest(changes: Partial<CreateRequest> = {}): CreateRequest {
  return {
    runnerId: 'runner-1',
    runnerName: 'baton-runner-1',
    scaleSetId: 'set-1',
    installationId: 'conformance',
    generation: 'g1',
    jitConfig: new Secret('run'),
    settings: undefined,
    ...changes,
  };
}
