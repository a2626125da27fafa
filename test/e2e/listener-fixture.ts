import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type SessionRecord, streams } from '@baton/shared/contracts';
import type { Nats } from '@baton/shared/messaging';
import { openLeases, openPlans, openSessions, openSpecs } from '@baton/shared/stores';
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
  /** More variables for every listener. */
  env?: Record<string, string>;
}

/**
 * NATS, GitHub and the scale set `linux` with room for ten runners, for listeners that a test starts
 * one by one. Nobody creates runners. All of it ends with `await using`.
 */
export async function startScene({ leaseTtlMs = 10_000, env = {} }: SceneOptions = {}) {
  await using undo = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'baton-scene-'));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  const server = undo.use(await startTestNats({ leaseTtlMs }));
  const sim = undo.use(await startTestSimulator({ pollHoldMs: 50_000 }));
  const variables = {
    ...server.variablesOf('listener'),
    BATON_CREDENTIALS_FILE: await sim.writeCredentials(dir),
    BATON_LEASE_TTL_MS: String(leaseTtlMs),
    ...env,
  };
  const admin = await server.connect('admin');
  const scaleSetId = await declare(server, admin, sim.configUrl);
  const sessions = await openSessions(admin);
  const leases = await openLeases(admin);
  const listeners = undo.use(new AsyncDisposableStack());
  undo.move();
  return {
    server,
    sim: sim.control,
    configUrl: sim.configUrl,
    scaleSetId,
    /** Starts a listener; `natsUrl` is a proxy's. */
    listener: (instance: string, natsUrl = server.url) =>
      listeners.use(startListener(instance, { ...variables, BATON_NATS_URL: natsUrl })),
    record: async () => (await sessions.get(scaleSetId))?.value,
    lease: async () => (await leases.get(scaleSetId))?.value,
    session: async () => (await sim.control.state()).scaleSets[0]?.session ?? undefined,
    facts: () => factsOf(admin, scaleSetId),
    [Symbol.asyncDispose]: async () => {
      await listeners.disposeAsync();
      await sim[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export type Scene = Awaited<ReturnType<typeof startScene>>;

async function declare(server: TestNats, admin: Nats, configUrl: string): Promise<string> {
  const updatedAt = new Date().toISOString();
  const spec = aSpec({ declaration: { configUrl }, updatedAt });
  await (await openSpecs(admin)).put(spec.scaleSetId, spec);
  const plans = await openPlans(await server.connect('provisioner'));
  await plans.put(spec.scaleSetId, aPlan({ free: 10, freeAt: updatedAt }));
  return spec.scaleSetId;
}

/** Whose claim the session record carries: identity without incarnation. */
export function ownerOf(record: SessionRecord | undefined): string | undefined {
  return record?.owner.split('/')[0];
}

/** Resolves when GitHub has held a poll of the session for so long that the listener is at rest. */
export async function atRest({ session }: Pick<Scene, 'session'>): Promise<void> {
  await eventually(async () => {
    const now = await session();
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
