import type { Secret } from '@baton/shared/config';
import type { ProviderErrorClass } from './provider-error.ts';

/** What a provider needs to start one runner. */
export interface CreateRequest {
  /** Our id of the runner: the idempotency key. */
  runnerId: string;
  /** The name under which the runner registers at GitHub. */
  runnerName: string;
  /** Our internal key of the scale set. */
  scaleSetId: string;
  installationId: string;
  /** Which version of the scale set's template this runner was made from. */
  generation: string;
  /** Lets the runner register once. Handed to the instance and kept nowhere by the provider. */
  jitConfig: Secret;
  /** The scale set's settings for this provider. Validated by the provider. */
  settings: unknown;
  /**
   * Told how far a long create is, in a few words for people ("pulling image x: 40 %"). May be called
   * as often as there is news; never throws.
   */
  progress?: (text: string) => void;
}

/** `exited` covers every end: finished, crashed, never came up. */
export type InstanceState = 'starting' | 'running' | 'exited';

/** One instance of this installation, as the provider sees it now. */
export interface Instance {
  instanceId: string;
  runnerId: string;
  runnerName: string;
  scaleSetId: string;
  generation: string;
  /** ISO 8601. */
  createdAt: string;
  state: InstanceState;
  /** Absent while it runs, and when nobody saw how it ended. */
  exitCode?: number;
  /** ISO 8601. Absent while it runs, and when nobody saw when it ended. */
  exitedAt?: string;
  /**
   * What keeps it from running, or made it end: an image that cannot be pulled, no node with room, an
   * eviction. While it starts, a `transient` or `quota` problem may pass by itself; any other will not.
   */
  problem?: InstanceProblem;
}

export interface InstanceProblem {
  class: ProviderErrorClass;
  /** For people; ends up in the runner's record and in `baton get`. */
  text: string;
}

/**
 * Where runners live. An adapter serves one installation and sees only that installation's
 * instances, told apart by a tag. Every call ends early, with the signal's reason, when its signal
 * is aborted; whatever it had done by then stays valid and a repeated call carries on from there.
 * Failures are `ProviderError`s.
 */
export interface ComputeProvider {
  /**
   * Set when instances exist on one host only. Records carry it, and only services on that host, whose
   * provider says the same, list, judge or delete them.
   */
  readonly hostId?: string;

  /** Longest time that a create may take, in ms; where absent, the service's own limit counts. */
  readonly createTimeoutMs?: number;

  /** How many creates a service may have under way in it; where absent, the service's own limit counts. */
  readonly createConcurrency?: number;

  /** How often `list` may be called, in ms, where it costs more than a look at this host. */
  readonly listEveryMs?: number;

  /** Longest time that `list` may take, in ms; where absent, the service's own limit counts. */
  readonly listTimeoutMs?: number;

  /**
   * Starts an instance for the runner.
   *
   * Idempotent by `runnerId`: while an instance of that runner exists, in whatever state, the call
   * returns it and starts nothing. After `delete` the same `runnerId` is free again, so the caller
   * must not repeat a create for a runner that it has marked deleted.
   */
  create(request: CreateRequest, signal: AbortSignal): Promise<{ instanceId: string }>;

  /** All instances of this installation, each exactly once. Changes nothing. */
  list(signal: AbortSignal): Promise<Instance[]>;

  /**
   * Ends the instance, running or not; when it resolves, nothing of it is left.
   *
   * Idempotent: an instance that does not exist is done. Calls may overlap, in one process or in
   * several.
   */
  delete(instanceId: string, signal: AbortSignal): Promise<void>;

  /** How many more instances fit now. A hint for planning; changes nothing. */
  capacity(signal: AbortSignal): Promise<{ free: number }>;
}
