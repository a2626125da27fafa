import type { Secret } from '@baton/shared/config';

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
}

/**
 * Where runners live. An adapter serves one installation and sees only that installation's
 * instances, told apart by a tag. Every call ends early, with the signal's reason, when its signal
 * is aborted; whatever it had done by then stays valid and a repeated call carries on from there.
 * Failures are `ProviderError`s.
 */
export interface ComputeProvider {
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
