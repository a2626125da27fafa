import { GitHubClients } from '@baton/scaleset';
import { buckets, streams, topology } from '@baton/shared/contracts';
import { answerProbes, LeaseStore, LivenessProber } from '@baton/shared/lease';
import type { Runtime } from '@baton/shared/lifecycle';
import { awaitTopologyPart, connectNats, Hints, Publisher } from '@baton/shared/messaging';
import {
  openLeases,
  openMembers,
  openPlans,
  openRegistrations,
  openSessions,
  openSpecs,
  openStatus,
  verifyInstallation,
} from '@baton/shared/stores';
import type { ListenerConfig } from './config.ts';
import { Members } from './members.ts';
import { SessionManager } from './session-manager.ts';
import { Wakeups } from './wakeups.ts';

/** What a listener uses of the topology. */
const used = {
  streams: [streams.events],
  consumers: [],
  buckets: Object.values(buckets).filter((name) => name !== buckets.runners),
};

export async function run(config: ListenerConfig, runtime: Runtime): Promise<void> {
  const { log, clock, signal, abort, incarnation } = runtime;
  const random = Math.random;
  const holder = { v: 1 as const, identity: config.instance, incarnation };
  const calls = { clock, random, log, subsystem: 'listener' };
  const github = GitHubClients.fromFile(config.credentialsFile, calls);
  await using nats = await connectNats({
    ...config,
    ...runtime,
    name: `listener ${config.instance}`,
  });
  await awaitTopologyPart(nats, topology({ leaseTtlMs: config.leaseTtlMs }), used, runtime);
  await verifyInstallation(nats, config.installationId);

  const ttlMs = config.leaseTtlMs;
  const hints = new Hints(nats);
  const leaseHints = new Wakeups();
  const planHints = new Wakeups();
  const specHints = new Wakeups();
  const members = new Members({ members: await openMembers(nats), holder, ttlMs, clock, log });
  const specs = await openSpecs(nats);
  const manager = new SessionManager(
    {
      nats,
      clock,
      random,
      log,
      publisher: new Publisher(nats, log),
      hints,
      leases: new LeaseStore({ bucket: await openLeases(nats), holder, ttlMs, clock, random, log }),
      prober: new LivenessProber(nats),
      members,
      registrations: await openRegistrations(nats),
      sessions: await openSessions(nats),
      plans: await openPlans(nats),
      statuses: await openStatus(nats),
      leaseHints,
      planHints,
      specHints,
      github: (credential, configUrl) => github.get(credential, configUrl),
      peersLive: once(() => members.drain()),
      draining: signal,
      abort,
    },
    specs,
  );
  answerProbes(nats, holder);
  hints.subscribe('lease', (id) => leaseHints.wake(id));
  hints.subscribe('plan', (id) => planHints.wake(id));
  hints.subscribe('spec', () => manager.wake());
  await members.renew();
  runtime.health.report('start', undefined);
  const membership = members.run(signal);
  await manager.run(signal);
  await membership;
  // Without NATS it runs out by itself.
  await members.leave().catch((err: unknown) => log.warn({ err }, 'membership was not taken back'));
  await github.close();
}

/** The same answer for all who ask: the first to hand over says that this listener drains. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= work());
}
