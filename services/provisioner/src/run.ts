import { loadProviders } from '@baton/providers';
import { checkGitHub, GitHubClients } from '@baton/scaleset';
import {
  anyListenerEventSchema,
  buckets,
  consumers,
  replayConsumers,
  runnerCommandSchema,
  streams,
  topology,
} from '@baton/shared/contracts';
import { answerProbes, LivenessProber } from '@baton/shared/lease';
import type { Runtime } from '@baton/shared/lifecycle';
import {
  answerDoctor,
  answerLogLevels,
  awaitTopologyPart,
  byRoute,
  connectNats,
  consumeLoop,
  done,
  Hints,
  type Nats,
  Publisher,
  replayLoop,
  replayRoute,
  watchLag,
} from '@baton/shared/messaging';
import {
  awaitInstallation,
  copyRunners,
  listDeclared,
  openJit,
  openPlans,
  openRegistrations,
  openRunners,
  openSessions,
  openSpecs,
  ScaleSetsByProvider,
  type SpecStore,
} from '@baton/shared/stores';
import { Bootstrap } from './bootstrap/bootstrap.ts';
import { CapacityShare } from './capacity-share.ts';
import { ConditionEvents } from './condition-events.ts';
import type { ProvisionerConfig } from './config.ts';
import type { CreateQueue } from './create-queue.ts';
import { type EventDeps, handleEvent } from './handle-event.ts';
import { keepWatch } from './keep-watch.ts';
import { LivingInstances } from './living-instances.ts';
import { measure } from './measure.ts';
import { Planner } from './planner.ts';
import { providerGates } from './provider-gate.ts';
import { RecentDeclarations } from './recent-declarations.ts';
import { consumeCreates, serveCreates } from './serve-creates.ts';

/** What a provisioner uses of the topology. */
const used = {
  streams: [streams.events, streams.commands],
  consumers: [consumers.provisionerEvents, consumers.createCommands, replayConsumers.provisioner],
  buckets: [
    buckets.specs,
    buckets.registrations,
    buckets.sessions,
    buckets.plans,
    buckets.runners,
    buckets.jit,
  ],
};

/** `load` makes the providers; a benchmark brings one of its own. */
export async function run(
  config: ProvisionerConfig,
  runtime: Runtime,
  load: typeof loadProviders = loadProviders,
): Promise<void> {
  const { log, clock, signal, abort, metrics } = runtime;
  const { installationId, instance } = config;
  const random = Math.random;
  const calls = { clock, random, log, subsystem: 'provisioner', metrics };
  const clients = GitHubClients.forService(config, calls);
  const github = (credential: string, configUrl: string) => clients.get(credential, configUrl);
  const bootstrap = new Bootstrap(config);
  const scaleSets = new ScaleSetsByProvider(clock);
  const given = { ...runtime, installationId, scaleSets: scaleSets.of, bootstrap: bootstrap.port };
  const providers = await load(config.providersFile, given);
  await using nats = await connectNats({ ...config, ...runtime, name: `provisioner ${instance}` });
  await awaitTopologyPart(nats, topology({ leaseTtlMs: 0 }), used, runtime);
  await awaitInstallation(nats, installationId);

  const holder = { v: 1 as const, identity: instance, incarnation: runtime.incarnation };
  const stores = await openStores(nats, runtime);
  scaleSets.bind(stores);
  answerQuestions(nats, stores.specs, clients, holder, runtime);
  const publisher = new Publisher(nats, log);
  const hints = new Hints(nats);
  const gates = providerGates(providers, { clock, random, log, signal: abort });
  const common = {
    ...stores,
    publisher,
    hints,
    capacity: new CapacityShare({ ...stores, gates, clock }),
    living: new LivingInstances({ clock, providers: providers.keys() }),
    conditions: tellConditions(publisher, instance, runtime),
    ...measure(gates, runtime.metrics),
    clock,
    random,
    log: log.child({ component: 'message' }),
    installationId,
    instance,
  };
  const planner = new Planner({ ...common, signal: abort });
  const deps = {
    ...config,
    ...common,
    planner,
    providers,
    gates,
    github,
    holder,
    prober: new LivenessProber(nats),
    inProgress: new Set<string>(),
    signal: abort,
  };

  followHints(hints, planner, runtime);
  const creates = serveCreates(deps, config, abort);
  const handle = replayed(deps, creates);
  await using _instances = await bootstrap.start(deps);
  runtime.ready();
  await Promise.all([
    consumeEvents(nats, publisher, runtime, (event) => handleEvent(deps, event)),
    consumeCreates(nats, creates, deps, runtime),
    replayLoop({ nats, publisher, log, service: 'provisioner', handle }, signal, abort),
    keepWatch({ ...deps, health: runtime.health }, signal),
    bootstrap.sweep(signal),
  ]);
  await clients.close();
}

/** What provisioners say is wrong with scale sets: as events, and on `/metrics`. */
function tellConditions(
  publisher: Publisher,
  instance: string,
  { clock, log, metrics }: Runtime,
): ConditionEvents {
  const conditions = new ConditionEvents({ publisher, clock, log, instance });
  metrics.add(conditions.gauge);
  return conditions;
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
  answerLogLevels(nats, { service: 'provisioner', holder, log, levels });
  answerDoctor(nats, {
    service: 'provisioner',
    holder,
    log,
    stop,
    examine: async ({ scaleSet }, signal) =>
      await checkGitHub(clients, await listDeclared(specs, scaleSet), { scaleSets: false, signal }),
  });
}

/** A dead letter that is replayed is handled as what it was. */
function replayed(deps: EventDeps, creates: CreateQueue) {
  return byRoute([
    replayRoute('baton.v1.event.listener.', anyListenerEventSchema, (event) =>
      handleEvent(deps, event),
    ),
    replayRoute('baton.v1.command.create.', runnerCommandSchema, (command) => {
      creates.offer(command);
      return Promise.resolve(done());
    }),
  ]);
}

/** A changed spec is planned at once; when that fails the pass does it. */
function followHints(hints: Hints, planner: Planner, { log }: Runtime): void {
  hints.subscribe('spec', (scaleSetId) => {
    void planner.reconcile(scaleSetId).catch((err: unknown) => {
      log.debug({ scaleSetId, err }, 'hint could not be followed, the pass will');
    });
  });
}

async function openStores(nats: Nats, { clock }: Runtime) {
  const [specs, registrations, sessions, plans, runners, jit] = await Promise.all([
    openSpecs(nats),
    openRegistrations(nats),
    openSessions(nats),
    openPlans(nats),
    openRunners(nats),
    openJit(nats),
  ]);
  const copy = copyRunners(nats, runners);
  const declarations = new RecentDeclarations({ specs, registrations, clock });
  return { specs, registrations, sessions, plans, runners, jit, copy, declarations };
}

const loop = { service: 'provisioner', maxDeliveries: 20 };
type EventHandler = Parameters<typeof consumeLoop<typeof anyListenerEventSchema>>[0]['handle'];

async function consumeEvents(
  nats: Nats,
  publisher: Publisher,
  runtime: Runtime,
  handle: EventHandler,
): Promise<void> {
  const { log, signal, abort } = runtime;
  const stream = { stream: streams.events, consumer: consumers.provisionerEvents };
  const options = { ...loop, ...stream, schema: anyListenerEventSchema };
  const pulls = { concurrency: 2, batch: 64, heartbeatMs: 5_000 };
  await Promise.all([
    consumeLoop({ ...options, ...pulls, nats, publisher, log, handle }, signal, abort),
    watchLag(nats, used.consumers, runtime),
  ]);
}
