import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SimState } from '@baton/github-sim';
import {
  type ScaleSetDeclaration,
  type SessionRecord,
  scaleSetIdOf,
  streams,
} from '@baton/shared/contracts';
import type { Nats } from '@baton/shared/messaging';
import {
  openLeases,
  openMembers,
  openPlans,
  openSessions,
  openSpecs,
  openStatus,
} from '@baton/shared/stores';
import {
  aPlan,
  aSpec,
  eventually,
  startTestNats,
  startTestProcess,
  startTestSimulator,
  storedMessages,
  type TestNats,
  type TestProcess,
} from '@baton/testkit';
import { z } from 'zod';

const main = fileURLToPath(new URL('../../services/listener/src/main.ts', import.meta.url));

export const patient = { timeoutMs: 30_000, everyMs: 20 };

/** A real listener process under this name; killed at the end of the test when it still runs. */
export function startListener(instance: string, env: Record<string, string>): TestProcess {
  return startTestProcess(main, {
    env: {
      BATON_HEALTH_HOST: '127.0.0.1',
      BATON_HEALTH_PORT: '0',
      BATON_LOG_LEVEL: 'info',
      ...env,
      BATON_INSTANCE: instance,
    },
  });
}

interface SceneOptions {
  leaseTtlMs?: number;
  /** The scale sets by name. Default `linux`. */
  scaleSets?: readonly string[];
  /** More variables for every listener. */
  env?: Record<string, string>;
}

/**
 * NATS, GitHub and scale sets with room for ten runners each, for listeners that a test starts one
 * by one. Nobody creates runners. What is asked without a name is about `linux`. All of it ends with
 * `await using`.
 */
export async function startScene({
  leaseTtlMs = 10_000,
  scaleSets = ['linux'],
  env = {},
}: SceneOptions = {}) {
  await using undo = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'baton-scene-'));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  const server = undo.use(await startTestNats({ leaseTtlMs }));
  const sim = undo.use(await startTestSimulator({ pollHoldMs: 50_000 }));
  const credentialsFile = await sim.writeCredentials(dir);
  const variables = {
    ...server.variablesOf('listener'),
    BATON_CREDENTIALS_FILE: credentialsFile,
    BATON_LEASE_TTL_MS: String(leaseTtlMs),
    ...env,
  };
  const admin = await server.connect('admin');
  const declare = await declarer(server, admin, sim.configUrl);
  for (const name of scaleSets) await declare({ name });
  const sessions = await openSessions(admin);
  const leases = await openLeases(admin);
  const members = await openMembers(admin);
  const statuses = await openStatus(admin);
  const scaleSetAt = async (name: string) =>
    (await sim.control.state()).scaleSets.find((scaleSet) => scaleSet.name === name);
  const listeners = undo.use(new AsyncDisposableStack());
  const owned = undo.move();
  return {
    server,
    sim: sim.control,
    configUrl: sim.configUrl,
    credentialsFile,
    scaleSetId: scaleSetIdOf(scaleSets[0] ?? 'linux'),
    /** Starts a listener; `natsUrl` is a proxy's. */
    listener: (instance: string, natsUrl = server.url) =>
      listeners.use(startListener(instance, { ...variables, BATON_NATS_URL: natsUrl })),
    /** Declares one more scale set, or changes one. */
    declare,
    record: async (name = 'linux') => (await sessions.get(scaleSetIdOf(name)))?.value,
    lease: async (name = 'linux') => (await leases.get(scaleSetIdOf(name)))?.value,
    /** Changes with every renewal of the lease. */
    leaseRevision: async (name = 'linux') => (await leases.get(scaleSetIdOf(name)))?.revision,
    status: async (name = 'linux') => (await statuses.get(scaleSetIdOf(name)))?.value,
    /** The listener is one to which scale sets are given. */
    joined: async (instance: string) =>
      await eventually(async () => {
        if (!(await members.get(instance))) throw new Error(`${instance} has not joined`);
      }, patient),
    session: async (name = 'linux') => (await scaleSetAt(name))?.session ?? undefined,
    /** How many messages GitHub has that are not deleted. */
    undeleted: async (name = 'linux') => (await scaleSetAt(name))?.messages,
    facts: async (name = 'linux') => await factsOf(admin, scaleSetIdOf(name)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export type Scene = Awaited<ReturnType<typeof startScene>>;

async function declarer(server: TestNats, admin: Nats, configUrl: string) {
  const specs = await openSpecs(admin);
  const plans = await openPlans(await server.connect('provisioner'));
  return async ({ deleting = false, ...declaration }: Declared): Promise<void> => {
    const updatedAt = new Date().toISOString();
    const spec = aSpec({ declaration: { configUrl, ...declaration }, deleting, updatedAt });
    // Nobody writes it again: fresh for as long as any test runs.
    const freeAt = new Date(Date.now() + 600_000).toISOString();
    await plans.put(spec.scaleSetId, aPlan({ scaleSetId: spec.scaleSetId, free: 10, freeAt }));
    await specs.put(spec.scaleSetId, spec);
    admin.connection.publish(`baton.v1.hint.spec.${spec.scaleSetId}`);
  };
}

type Declared = Partial<ScaleSetDeclaration> & { deleting?: boolean };

/** Whose claim the session record carries: identity without incarnation. */
export function ownerOf(record: SessionRecord | undefined): string | undefined {
  return record?.owner.split('/')[0];
}

type Session = NonNullable<SimState['scaleSets'][number]['session']>;

/** Resolves when GitHub has held a poll of the session for so long that the listener is at rest. */
export async function atRest(
  { session }: { session: (name?: string) => Promise<Session | undefined> },
  name?: string,
): Promise<void> {
  await eventually(async () => {
    const now = await session(name);
    if (!now?.held || now.lastPollAgoMs < 500) throw new Error('no poll is held for 500 ms yet');
  }, patient);
}

const factSchema = z.looseObject({ type: z.string(), jobId: z.string().optional() });

/** The job events of a scale set, as "type job", sorted: one that is there twice is listed twice. */
export async function factsOf(nats: Nats, scaleSetId: string): Promise<string[]> {
  const stored = await storedMessages(nats, streams.events);
  return stored
    .filter(({ subject }) => subject.startsWith(`baton.v1.event.listener.${scaleSetId}.job.`))
    .map(({ data }) => factSchema.parse(data))
    .map(({ type, jobId }) => `${type} ${jobId ?? ''}`)
    .sort();
}
