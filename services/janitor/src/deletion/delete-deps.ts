import type { ComputeProvider } from '@baton/providers';
import type { GitHubClient } from '@baton/scaleset';
import type { Runner } from '@baton/shared/contracts';
import type { Entry, Publisher } from '@baton/shared/messaging';
import type { Random } from '@baton/shared/retry';
import type { RunnerCopy, RunnerStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { RefusalLimits } from './core/judge-refusal.ts';
import type { DeleteMetrics } from './delete-metrics.ts';
import type { InstanceLists } from './instance-lists.ts';
import type { RecentSpecs } from './recent-specs.ts';

/** What runners are deleted with. */
export interface DeleteDeps {
  specs: RecentSpecs;
  runners: RunnerStore;
  copy: RunnerCopy;
  providers: ReadonlyMap<string, ComputeProvider>;
  instances: InstanceLists;
  github: (credential: string, configUrl: string) => GitHubClient;
  publisher: Publisher;
  metrics: DeleteMetrics;
  clock: Clock;
  random: Random;
  log: Logger;
  instance: string;
  limits: RefusalLimits & {
    /** Longest time that a provider may take to delete an instance, in ms. */
    deleteTimeoutMs: number;
    /** Longest time that GitHub may take to let go of a registration, in ms. */
    deregisterTimeoutMs: number;
  };
}

/** A record, and at which revision. */
export type Found = Pick<Entry<Runner>, 'value' | 'revision'>;

/** Who we are, in marks, claims and events. */
export function nameOf({ instance }: Pick<DeleteDeps, 'instance'>): string {
  return `janitor ${instance}`;
}
