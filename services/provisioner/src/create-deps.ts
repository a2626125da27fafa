import type { ComputeProvider } from '@baton/providers';
import type { GitHubClient } from '@baton/scaleset';
import type { Runner } from '@baton/shared/contracts';
import { ConfigError } from '@baton/shared/errors';
import type { Holder, LivenessProber } from '@baton/shared/lease';
import type { Publisher } from '@baton/shared/messaging';
import type { Random } from '@baton/shared/retry';
import type { RunnerChange } from '@baton/shared/runners';
import type { RunnerCopy, RunnerStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { LivingInstances } from './living-instances.ts';
import type { Planner } from './planner.ts';
import type { ProviderGates } from './provider-gate.ts';
import type { RecentDeclarations } from './recent-declarations.ts';
import type { RunnerMetrics } from './runner-metrics.ts';

/** What a create is made with. */
export interface CreateDeps {
  declarations: RecentDeclarations;
  runners: RunnerStore;
  copy: RunnerCopy;
  providers: ReadonlyMap<string, ComputeProvider>;
  gates: ProviderGates;
  github: (credential: string, configUrl: string) => GitHubClient;
  publisher: Publisher;
  planner: Planner;
  living?: LivingInstances;
  runnerMetrics: RunnerMetrics;
  onChange?: (change: RunnerChange) => void;
  clock: Clock;
  random: Random;
  log: Logger;
  instance: string;
  /** Who we are, as a creator of runners. */
  holder: Holder;
  prober: LivenessProber;
  /** Runners that this process is creating right now. */
  inProgress: Set<string>;
  /** Longest time that a provider may take to create an instance, in ms, unless it says itself. */
  createTimeoutMs: number;
  /** Longest time that GitHub may take to give a JIT config, in ms. */
  jitTimeoutMs: number;
}

/** @throws ConfigError when the runner's provider is not one of this service. */
export function providerOf(
  { providers }: Pick<CreateDeps, 'providers'>,
  { provider: name }: Runner,
): ComputeProvider {
  const provider = providers.get(name);
  if (provider) return provider;
  throw new ConfigError(`provider "${name}" is not in BATON_PROVIDERS_FILE`);
}

/** How long the runner's provider may take to create an instance, in ms. */
export function createTimeoutOf(
  { providers, createTimeoutMs }: Pick<CreateDeps, 'providers' | 'createTimeoutMs'>,
  { provider }: Runner,
): number {
  return providers.get(provider)?.createTimeoutMs ?? createTimeoutMs;
}
