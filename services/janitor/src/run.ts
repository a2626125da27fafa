import { loadProviders } from '@baton/providers';
import { checkGitHub, GitHubClients } from '@baton/scaleset';
import {
  buckets,
  consumers,
  deletedRunnerKeptMs,
  replayConsumers,
  runnerCommandSchema,
  streams,
  topology,
} from '@baton/shared/contracts';
import { type Runtime, repeat } from '@baton/shared/lifecycle';
import {
  answerDoctor,
  answerLogLevels,
  awaitTopologyPart,
  byRoute,
  connectNats,
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
  openRunners,
  openSpecs,
  type RunnerCopy,
  ScaleSetsByProvider,
  type SpecStore,
} from '@baton/shared/stores';
import type { Clock } from '@baton/shared/time';
import type { JanitorConfig } from './config.ts';
import type { DeleteDeps } from './deletion/delete-deps.ts';
import { DeleteMetrics } from './deletion/delete-metrics.ts';
import { InstanceLists } from './deletion/instance-lists.ts';
import { markedPass } from './deletion/marked-pass.ts';
import { RecentSpecs } from './deletion/recent-specs.ts';
import { consumeDeletes, serveDeletes, takeDelete } from './deletion/serve-deletes.ts';
import { watchGauges } from './gauges.ts';
import { allSweeps } from './sweeps/all-sweeps.ts';
import { runSweeps } from './sweeps/run-sweeps.ts';

/** What a janitor uses of the topology. */
const used = {
  streams: [streams.events, streams.commands],
  consumers: [consumers.deleteCommands, replayConsumers.janitor],
  buckets: [buckets.specs, buckets.runners, buckets.leases, buckets.sweeps],
};

/** Longest time that GitHub may take to let go of a registration, with its tokens, in ms. */
const deregisterTimeoutMs = 30_000;

/** `load` makes the providers; a benchmark brings one of its own. */
export async function run(
  config: JanitorConfig,
  runtime: Runtime,
  load: typeof loadProviders = loadProviders,
): Promise<void> {
  const { log, clock, signal, abort, metrics } = runtime;
  const { installationId, instance, deleteTimeoutMs } = config;
  const random = Math.random;
  const calls = { clock, random, log, subsystem: 'janitor', metrics };
  const clients = GitHubClients.forService(config, calls);
  const scaleSets = new ScaleSetsByProvider(clock);
  const given = { ...runtime, installationId, scaleSets: scaleSets.of };
  const providers = await load(config.providersFile, given);
  await using nats = await connectNats({ ...config, ...runtime, name: `janitor ${instance}` });
  await awaitTopologyPart(nats, topology(config), used, runtime);
  await awaitInstallation(nats, installationId);

  const [specs, runners] = [await openSpecs(nats), await openRunners(nats)];
  answerQuestions(nats, specs, clients, config, runtime);
  scaleSets.bind({ specs, runners });
  const copy = copyRunners(nats, runners);
  const publisher = new Publisher(nats, log);
  const deleteMetrics = new DeleteMetrics();
  metrics.add(...deleteMetrics.sources);
  const deps: DeleteDeps = {
    specs: new RecentSpecs(specs, clock),
    runners,
    copy,
    providers,
    instances: new InstanceLists(clock, deleteTimeoutMs),
    github: (credential, configUrl) => clients.get(credential, configUrl),
    publisher,
    metrics: deleteMetrics,
    clock,
    random,
    log: log.child({ component: 'delete' }),
    instance,
    limits: { ...config, deregisterTimeoutMs },
  };
  const queue = serveDeletes(deps, { ...config, abort });
  const handle = byRoute([
    replayRoute('baton.v1.command.delete.', runnerCommandSchema, (command) =>
      takeDelete(deps, queue, command),
    ),
  ]);
  const passes = { ...deps, health: runtime.health, signal };
  runtime.ready();
  await Promise.all([
    consumeDeletes(nats, deps, queue, runtime),
    replayLoop({ nats, publisher, log, service: 'janitor', handle }, signal, abort),
    repeat({ ...passes, what: 'deleted runners', everyMs: deletedRunnerKeptMs / 4 }, () =>
      forgetDeleted(copy, clock),
    ),
    repeat({ ...passes, what: 'marked runners', everyMs: config.passEveryMs }, () =>
      markedPass({ ...deps, queue, signal: abort }),
    ),
    watchLag(nats, used.consumers, runtime),
    watchGauges({ ...calls, log: log.child({ component: 'telemetry' }), nats, copy, signal }),
    runSweeps(
      { ...deps, log: log.child({ component: 'sweep' }), specs, installationId },
      { nats, sweeps: allSweeps(config), config, runtime, random },
    ),
  ]);
  await queue.idle();
  await clients.close();
}

async function forgetDeleted(copy: RunnerCopy, clock: Clock): Promise<void> {
  await copy.sync();
  await copy.forgetDeleted(new Date(clock.now() - deletedRunnerKeptMs));
}

function answerQuestions(
  nats: Nats,
  specs: SpecStore,
  clients: GitHubClients,
  { instance: identity }: JanitorConfig,
  { log, logLevels: levels, signal: stop, incarnation }: Runtime,
): void {
  const holder = { identity, incarnation };
  answerLogLevels(nats, { service: 'janitor', holder, log, levels });
  answerDoctor(nats, {
    service: 'janitor',
    holder,
    log,
    stop,
    examine: async ({ scaleSet }, signal) =>
      await checkGitHub(clients, await listDeclared(specs, scaleSet), { scaleSets: false, signal }),
  });
}
