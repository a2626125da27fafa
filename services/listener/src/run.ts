import { checkGitHub, GitHubClients } from '@baton/scaleset';
import { buckets, replayConsumers, streams, topology } from '@baton/shared/contracts';
import { answerProbes, LeaseStore, LivenessProber, takeIdentity } from '@baton/shared/lease';
import type { Runtime } from '@baton/shared/lifecycle';
import {
  answerDoctor,
  answerLogLevels,
  awaitTopologyPart,
  connectNats,
  Hints,
  type Nats,
  Publisher,
} from '@baton/shared/messaging';
import {
  awaitInstallation,
  listDeclared,
  openLeases,
  openMembers,
  openPlans,
  openRegistrations,
  openSessions,
  openSpecs,
  openStatus,
  type SpecStore,
} from '@baton/shared/stores';
import { type ListenerConfig, openingPolicy } from './config.ts';
import { degradedScaleSets } from './core/degraded-scale-sets.ts';
import { notReadyReason } from './core/readiness.ts';
import { HolderWatch } from './holder-watch.ts';
import { LeaseLosses } from './lease-losses.ts';
import { listenerGauges } from './listener-gauges.ts';
import { ListenerMetrics } from './listener-metrics.ts';
import { Members } from './members.ts';
import { peersOf } from './peers.ts';
import { replayLetters } from './replay-letters.ts';
import { SessionManager } from './session-manager.ts';
import { unlessAway } from './unless-away.ts';
import { Wakeups } from './wakeups.ts';

/** What is between provisioners, janitors, instances and operators. */
const notOurs: ReadonlySet<string> = new Set([buckets.runners, buckets.jit, buckets.sweeps]);

/** What a listener uses of the topology. */
const used = {
  streams: [streams.events],
  consumers: [replayConsumers.listener],
  buckets: Object.values(buckets).filter((name) => !notOurs.has(name)),
};

export async function run(config: ListenerConfig, runtime: Runtime): Promise<void> {
  const { log, clock, signal, abort, incarnation } = runtime;
  const random = Math.random;
  const holder = { v: 1 as const, identity: config.instance, incarnation };
  const specHints = new Wakeups();
  const calls = { clock, random, log, subsystem: 'listener', metrics: runtime.metrics };
  const github = GitHubClients.forService(config, calls, () => specHints.wakeAll());
  await using nats = await connectNats({
    ...config,
    ...runtime,
    name: `listener ${config.instance}`,
  });
  await findFit(nats, config, runtime);

  const ttlMs = config.leaseTtlMs;
  const hints = new Hints(nats);
  const leaseHints = new Wakeups();
  const planHints = new Wakeups();
  const prober = new LivenessProber(nats);
  const { weight, rebalanceAfterMs } = config;
  const leaseLog = log.child({ component: 'lease' });
  const membership = { hints, holder, weight, ttlMs, clock, log: leaseLog };
  const members = new Members({ ...membership, members: await openMembers(nats) });
  const { specs, ...stores } = await openStores(nats);
  const metrics = observe(runtime);
  const manager = new SessionManager(
    {
      nats,
      clock,
      random,
      log: log.child({ component: 'session' }),
      publisher: new Publisher(nats, log),
      hints,
      leases: new LeaseStore({
        ...{ bucket: await openLeases(nats), holder, ttlMs, clock, random, log },
        onRenewal: metrics.leaseRenewed,
      }),
      prober,
      holders: new HolderWatch({ prober, clock }),
      members,
      metrics,
      opening: openingPolicy(config),
      ...stores,
      leaseHints,
      planHints,
      specHints,
      github: (credential, configUrl) => github.get(credential, configUrl),
      peersLive: peersOf({ members, prober, clock, log: leaseLog }),
      draining: signal,
      abort,
    },
    { specs, rebalanceAfterMs },
  );
  answerQuestions(nats, specs, github, holder, runtime);
  hints.subscribe('lease', (id) => leaseHints.wake(id));
  hints.subscribe('plan', (id) => planHints.wake(id));
  hints.subscribe('spec', () => manager.wake());
  hints.subscribe('member', () => void members.look());
  await members.join();
  runtime.ready(metrics.firstSession);
  const replays = replayLetters(nats, stores, runtime);
  const work = serve(manager, members, replays, runtime);
  if (await unlessAway({ ...runtime, nats }, work)) await github.close();
}

/**
 * Makes sure, before anything is contended for, that this process may run and that NATS has what it
 * needs. At the same time, so that a restart loses nothing.
 */
async function findFit(nats: Nats, config: ListenerConfig, runtime: Runtime): Promise<void> {
  const { instance, leaseTtlMs, installationId } = config;
  await Promise.all([
    takeIdentity(nats, 'listener', instance),
    awaitTopologyPart(nats, topology({ leaseTtlMs }), used, runtime),
  ]);
  await awaitInstallation(nats, installationId);
}

/** Until the process is to end, and then to the end of what it does. */
async function serve(
  manager: SessionManager,
  members: Members,
  replays: Promise<void>,
  { signal, log }: Runtime,
): Promise<void> {
  const renewing = members.run(signal);
  await manager.run(signal);
  await replays;
  await renewing;
  // Without NATS it runs out by itself.
  await members.leave().catch((err: unknown) => log.warn({ err }, 'membership was not taken back'));
}

/** Whether this process lives, and what stands between it and GitHub. */
function answerQuestions(
  nats: Nats,
  specs: SpecStore,
  clients: GitHubClients,
  holder: Parameters<typeof answerProbes>[1],
  { log, logLevels: levels, signal: stop }: Runtime,
): void {
  answerProbes(nats, holder);
  answerLogLevels(nats, { service: 'listener', holder, log, levels });
  answerDoctor(nats, {
    service: 'listener',
    holder,
    log,
    stop,
    examine: async ({ scaleSet }, signal) =>
      await checkGitHub(clients, await listDeclared(specs, scaleSet), { scaleSets: true, signal }),
  });
}

/** What is counted, on `/metrics`; and whether and how well scale sets can be served, on `/readyz`. */
function observe({ metrics, health, clock }: Runtime): ListenerMetrics {
  const losses = new LeaseLosses(clock);
  const counted = new ListenerMetrics(losses);
  metrics.add(...counted.sources, ...listenerGauges(counted.reporters, clock));
  health.watch('scale sets', () => notReadyReason(counted.reporters));
  health.watchDegraded('scale set', () => degradedScaleSets(counted.reporters));
  health.watchDegraded('lease', () => losses.recent());
  return counted;
}

async function openStores(nats: Nats) {
  return {
    specs: await openSpecs(nats),
    registrations: await openRegistrations(nats),
    sessions: await openSessions(nats),
    plans: await openPlans(nats),
    statuses: await openStatus(nats),
  };
}
