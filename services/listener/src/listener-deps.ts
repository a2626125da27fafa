import type { GitHubClient } from '@baton/scaleset';
import type { LeaseStore, LivenessProber } from '@baton/shared/lease';
import type { Hints, Nats, Publisher } from '@baton/shared/messaging';
import type { Random } from '@baton/shared/retry';
import type { PlanStore, RegistrationStore, SessionStore, StatusStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import type { Clock } from '@baton/shared/time';
import type { OpeningPolicy } from './core/decide-session-step.ts';
import type { WaitingPolicy } from './core/waiting-jobs.ts';
import type { WithdrawalPolicy } from './core/withdrawal.ts';
import type { HolderWatch } from './holder-watch.ts';
import type { ListenerMetrics } from './listener-metrics.ts';
import type { Members } from './members.ts';
import type { Wakeups } from './wakeups.ts';

/** What all scale sets of a listener process share. Built in `run.ts`. */
export interface ListenerDeps {
  nats: Nats;
  clock: Clock;
  random: Random;
  log: Logger;
  publisher: Publisher;
  hints: Hints;
  leases: LeaseStore;
  prober: LivenessProber;
  holders: HolderWatch;
  members: Members;
  metrics: ListenerMetrics;
  registrations: RegistrationStore;
  sessions: SessionStore;
  plans: PlanStore;
  statuses: StatusStore;
  leaseHints: Wakeups;
  planHints: Wakeups;
  specHints: Wakeups;
  /** The clients for a credential (by name) and a config URL; throws ConfigError for unknown names. */
  github: (credential: string, configUrl: string) => GitHubClient;
  /** How long to wait for a session, and before one is replaced. */
  opening: OpeningPolicy;
  /** How long one step of a poll loop may take, in ms. Default 90 s: a poll's 75 s and a margin. */
  stepMs?: number;
  /** When a scale set that can run nothing leaves its jobs to others. */
  withdrawal?: WithdrawalPolicy;
  /** When jobs that GitHub keeps back are told. */
  waitingPolicy?: WaitingPolicy;
  /** After what time without anything stored in NATS that is told, in ms. Default 30 s. */
  storeLateMs?: number;
  /** How often what GitHub did not do as declared is tried again, in ms. Default 60 s. */
  mendEveryMs?: number;
  /** Aborted when the process drains. */
  draining: AbortSignal;
  /** Whether another listener lives that takes sessions over; asked for when this one drains. */
  peersLive: () => Promise<boolean>;
  /** Aborted when the drain budget is nearly used up. */
  abort: AbortSignal;
}
