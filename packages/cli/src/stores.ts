import { buckets, topology } from '@baton/shared/contracts';
import { ConfigError } from '@baton/shared/errors';
import { connectNats, diffTopology, Hints, type Nats } from '@baton/shared/messaging';
import {
  openPlans,
  openRegistrations,
  openRunners,
  openSessions,
  openSpecs,
  openStatus,
  type PlanStore,
  type RegistrationStore,
  type RunnerStore,
  type SessionStore,
  type SpecStore,
  type StatusStore,
  verifyInstallation,
} from '@baton/shared/stores';
import { silentLogger } from '@baton/shared/telemetry';
import { type Clock, withDeadline } from '@baton/shared/time';
import { type CliConfig, loadCliConfig } from './cli-config.ts';
import type { Io } from './io.ts';
import { operatorOf } from './operator.ts';

/** What the commands work on. */
export interface Stores {
  nats: Nats;
  installationId: string;
  clock: Clock;
  /** Who runs the command. */
  operator: string;
  hints: Hints;
  specs: SpecStore;
  statuses: StatusStore;
  plans: PlanStore;
  registrations: RegistrationStore;
  sessions: SessionStore;
  runners: RunnerStore;
}

const usedBuckets = [
  buckets.specs,
  buckets.status,
  buckets.plans,
  buckets.registrations,
  buckets.sessions,
  buckets.runners,
];
const flushTimeoutMs = 2_000;

/** Runs `work` with a connection made from the environment. */
export async function withNats<T>(
  io: Io,
  work: (nats: Nats, config: CliConfig) => Promise<T>,
): Promise<T> {
  const config = loadCliConfig(io.env);
  await using nats = await connectNats({
    ...config,
    name: 'baton cli',
    log: silentLogger(),
    clock: io.clock,
  });
  const result = await work(nats, config);
  await flushHints(nats);
  return result;
}

/** Runs `work` with the opened buckets of this installation. */
export async function withStores<T>(io: Io, work: (stores: Stores) => Promise<T>): Promise<T> {
  return await withNats(io, async (nats, { installationId, leaseTtlMs }) => {
    await verifyBuckets(nats, leaseTtlMs, usedBuckets);
    await verifyInstallation(nats, installationId);
    return await work({
      nats,
      installationId,
      clock: io.clock,
      operator: operatorOf(io.env),
      hints: new Hints(nats),
      specs: await openSpecs(nats),
      statuses: await openStatus(nats),
      plans: await openPlans(nats),
      registrations: await openRegistrations(nats),
      sessions: await openSessions(nats),
      runners: await openRunners(nats),
    });
  });
}

/** A bucket that is missing would fail later, with words that help nobody. */
export async function verifyBuckets(
  nats: Nats,
  leaseTtlMs: number,
  used: readonly string[],
): Promise<void> {
  const whole = topology({ leaseTtlMs }).buckets;
  const part = whole.filter(({ name }) => used.includes(name));
  const differences = await diffTopology(nats, { streams: [], consumers: [], buckets: part });
  const missing = differences.filter(({ problem }) => problem === 'missing');
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name).join(', ');
  throw new ConfigError(`NATS has no bucket ${names}: run "baton topology apply"`);
}

/** A hint that is lost costs seconds: the services look by themselves. So this never fails. */
async function flushHints(nats: Nats): Promise<void> {
  const { clock } = nats;
  await withDeadline({ clock, timeoutMs: flushTimeoutMs, what: 'flush' }, () =>
    nats.connection.flush(),
  ).catch(() => undefined);
}
