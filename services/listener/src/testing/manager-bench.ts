import { GitHubClients } from '@baton/scaleset';
import {
  demandChangedSchema,
  type Plan,
  type ScaleSetDeclaration,
  scaleSetEventSchema,
  scaleSetIdOf,
  streams,
} from '@baton/shared/contracts';
import type { Nats } from '@baton/shared/messaging';
import { openMembers, openPlans, openSpecs } from '@baton/shared/stores';
import { type Clock, systemClock } from '@baton/shared/time';
import {
  aPlan,
  aSpec,
  startTestNats,
  startTestSimulator,
  storedMessages,
  type TestNats,
  type TestSimulator,
} from '@baton/testkit';
import { onTestFinished } from 'vitest';
import { defaultOpeningPolicy } from '../core/decide-session-step.ts';
import type { ListenerDeps } from '../listener-deps.ts';
import { ListenerMetrics } from '../listener-metrics.ts';
import { Members } from '../members.ts';
import { SessionManager } from '../session-manager.ts';
import { Wakeups } from '../wakeups.ts';
import { aListener } from './listener-bench.ts';

interface ManagerOptions
  extends Partial<
    Pick<ListenerDeps, 'withdrawal' | 'waitingPolicy' | 'mendEveryMs' | 'storeLateMs'>
  > {
  sim?: Parameters<typeof startTestSimulator>[0];
  clock?: Clock;
}

/**
 * One listener within the test's process that serves whatever is declared, on a nats-server and
 * against a simulator of its own. All of it ends with the test.
 */
export async function aManager({ sim: simOptions, clock, ...policies }: ManagerOptions = {}) {
  const undo = new AsyncDisposableStack();
  onTestFinished(() => undo.disposeAsync());
  const server = undo.use(await startTestNats());
  const sim = undo.use(await startTestSimulator({ pollHoldMs: 20_000, ...simOptions }));
  const metrics = new ListenerMetrics();
  const { manager, listener } = await makeManager(server, sim, {
    ...policies,
    metrics,
    clock: clock ?? systemClock,
  });
  const stop = new AbortController();
  const running = manager.run(stop.signal);
  undo.defer(async () => {
    stop.abort();
    await running;
  });
  const admin = await server.connect('admin');
  const [specs, plans] = [await openSpecs(admin), await openPlans(admin)];
  const { control, configUrl } = sim;
  const atGitHub = async (name: string) =>
    (await control.state()).scaleSets.find((set) => set.name === name);
  return {
    metrics,
    nats: admin,
    github: control,
    atGitHub,
    session: async (name: string) => (await atGitHub(name))?.session ?? undefined,
    status: async (name: string) => (await listener.statuses.get(scaleSetIdOf(name)))?.value,
    demand: async (name: string) => (await listener.sessions.get(scaleSetIdOf(name)))?.value.demand,
    /** The texts of what is wrong, by type. */
    conditions: async (name: string) => {
      const status = (await listener.statuses.get(scaleSetIdOf(name)))?.value;
      return Object.fromEntries(status?.conditions.map(({ type, text }) => [type, text]) ?? []);
    },
    ...whatIsAnnounced(admin),
    /** Every capacity that GitHub was told while it held polls, in order; null: none was named. */
    capacities: async (name: string) =>
      (await control.journal())
        .filter(({ event, scaleSet }) => event === 'held' && scaleSet === name)
        .map(({ capacity }) => capacity),
    declare: async (name: string, declaration: Partial<ScaleSetDeclaration> = {}) => {
      const updatedAt = new Date().toISOString();
      const spec = aSpec({ declaration: { name, configUrl, ...declaration }, updatedAt });
      await specs.put(spec.scaleSetId, spec);
      manager.wake();
    },
    plan: async (name: string, part: Partial<Plan> & { alive?: string[] }) => {
      const scaleSetId = scaleSetIdOf(name);
      const freeAt = new Date().toISOString();
      await plans.put(scaleSetId, { ...aPlan({ freeAt, ...part }), scaleSetId });
      listener.planHints.wake(scaleSetId);
    },
    /** Makes the listener read its plan again, as when time has passed. */
    readPlan: (name: string) => listener.planHints.wake(scaleSetIdOf(name)),
  };
}

/** What the stream of events says. */
function whatIsAnnounced(admin: Nats) {
  const stored = async () => (await storedMessages(admin, streams.events)).map(({ data }) => data);
  return {
    /** Every demand of a scale set, in order. */
    demands: async (name: string) =>
      (await stored())
        .map((data) => demandChangedSchema.safeParse(data).data)
        .filter((event) => event?.scaleSetId === scaleSetIdOf(name))
        .map((event) => event?.demand.assigned),
    /** The beginnings and ends of a condition, in order. */
    announced: async (condition: string) =>
      (await stored())
        .map((data) => scaleSetEventSchema.safeParse(data).data)
        .filter((event) => event?.type === 'condition.changed')
        .filter((event) => event.condition === condition)
        .map(({ text }) => (text === undefined ? 'ended' : 'began')),
  };
}

interface MakeOptions extends Omit<ManagerOptions, 'sim'> {
  metrics: ListenerMetrics;
  clock: Clock;
}

async function makeManager(server: TestNats, sim: TestSimulator, options: MakeOptions) {
  const { clock } = options;
  const listener = { ...(await aListener(server, { clock })), planHints: new Wakeups() };
  const { nats, hints, holder, log, random } = listener;
  const calls = { clock: systemClock, random, log, subsystem: 'test' };
  const github = GitHubClients.fromFile(await sim.writeCredentials(server.dir), calls);
  const members = new Members({
    ...{ hints, holder, clock, log },
    members: await openMembers(nats),
    weight: 1,
    ttlMs: 10_000,
  });
  await members.join();
  const never = new AbortController().signal;
  const deps: ListenerDeps = {
    ...listener,
    ...options,
    members,
    specHints: new Wakeups(),
    github: (credential, configUrl) => github.get(credential, configUrl),
    opening: defaultOpeningPolicy,
    draining: never,
    peersLive: () => Promise.resolve(false),
    abort: never,
  };
  const specs = await openSpecs(nats);
  return { manager: new SessionManager(deps, { specs, rebalanceAfterMs: 60_000 }), listener };
}
