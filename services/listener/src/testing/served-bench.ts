import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ScaleSetEvent, scaleSetEventSchema, streams } from '@baton/shared/contracts';
import { Health } from '@baton/shared/lifecycle';
import { DeadLetters, type Nats } from '@baton/shared/messaging';
import {
  openPlans,
  openRegistrations,
  openSessions,
  openSpecs,
  openStatus,
} from '@baton/shared/stores';
import { LogLevels, Metrics } from '@baton/shared/telemetry';
import { systemClock } from '@baton/shared/time';
import {
  aPlan,
  aSpec,
  captureLog,
  eventually,
  metricValues,
  startTestNats,
  storedMessages,
  type TestNats,
} from '@baton/testkit';
import { expect, onTestFailed, onTestFinished } from 'vitest';
import { loadListenerConfig } from '../config.ts';
import { run } from '../run.ts';
import { aGitHub, type TestGitHub } from './github-bench.ts';
import { factsOf } from './pipeline-bench.ts';

type GitHubOptions = NonNullable<Parameters<typeof aGitHub>[0]>;
type Declaration = NonNullable<Parameters<typeof aSpec>[0]>['declaration'];

interface ServedOptions extends GitHubOptions {
  /** How many runners there is room for. Default 10. */
  free?: number;
  declaration?: Declaration;
}

const patient = { timeoutMs: 15_000 };

/**
 * NATS, GitHub and the scale set `linux`, which a whole listener serves within the test's process
 * until the test is over. Nobody creates runners.
 */
export async function aServedSet({ free = 10, declaration, ...sim }: ServedOptions = {}) {
  const server = await startTestNats();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const github = await aGitHub({ pollHoldMs: 300, ...sim });
  const { control, configUrl } = github;
  const nats = await server.connect('admin');
  const declare = await aDeclarer(server, nats, { ...declaration, configUrl });
  await declare.spec();
  await declare.free(free);
  const start = (instance: string) => startInProcess(server, github.writeCredentials, instance);
  const listener = await start('listener-0');
  const observed = await whatIsSeen(nats, control);
  await eventually(async () => {
    const { polls = 0, lastPollAgoMs = 0 } = (await observed.session()) ?? {};
    // A poll was held for so long that the backlog is over.
    expect(polls > 1 || (polls === 1 && lastPollAgoMs > 400)).toBe(true);
  }, patient);
  return { ...observed, ...listener, github, control, nats, declare, start };
}

/** Changes what the listener is told; a hint makes it take effect at once. */
async function aDeclarer(server: TestNats, nats: Nats, declaration: Declaration) {
  const specs = await openSpecs(nats);
  const plans = await openPlans(await server.connect('provisioner'));
  const { scaleSetId } = aSpec();
  const hint = (what: string) => nats.connection.publish(`baton.v1.hint.${what}.${scaleSetId}`);
  return {
    spec: async (change: Declaration = {}) => {
      const updatedAt = new Date().toISOString();
      const declared = { ...declaration, ...change };
      await specs.put(scaleSetId, aSpec({ declaration: declared, updatedAt }));
      hint('spec');
    },
    /** The declaration goes, without a word before. */
    remove: async () => {
      const { revision = 0 } = (await specs.get(scaleSetId)) ?? {};
      await specs.delete(scaleSetId, revision);
      hint('spec');
    },
    free: async (free: number) => {
      await plans.put(scaleSetId, aPlan({ free, freeAt: new Date().toISOString() }));
      hint('plan');
    },
  };
}

/** `run.ts` as the process has it, until the end of the test. */
async function startInProcess(
  server: TestNats,
  writeCredentials: (dir: string) => Promise<string>,
  instance: string,
) {
  const dir = await mkdtemp(join(tmpdir(), 'baton-served-'));
  const config = loadListenerConfig({
    ...server.variablesOf('listener'),
    BATON_CREDENTIALS_FILE: await writeCredentials(dir),
    BATON_INSTANCE: instance,
    BATON_SESSION_REPLACE_MAX_MS: '250',
  });
  const { log, lines } = captureLog();
  const stop = new AbortController();
  const abort = new AbortController();
  const ended = { value: false };
  const metrics = new Metrics();
  const running = run(config, {
    log,
    logLevels: new LogLevels(config.logLevel),
    clock: systemClock,
    health: new Health(),
    ready: () => undefined,
    metrics,
    env: {},
    incarnation: `in-process-${performance.now()}`,
    signal: stop.signal,
    abort: abort.signal,
  }).finally(() => {
    ended.value = true;
  });
  running.catch(() => undefined);
  onTestFailed(() => {
    for (const line of lines) process.stderr.write(`${JSON.stringify(line)}\n`);
  });
  onTestFinished(async () => {
    stop.abort(new Error('the test is over'));
    abort.abort(new Error('the test is over'));
    await running.catch(() => undefined);
    await rm(dir, { recursive: true });
  });
  return {
    lines,
    hasEnded: () => ended.value,
    /** Ends it as a SIGTERM does. */
    stop: async () => {
      stop.abort(new Error('stopped'));
      await running;
    },
    metrics,
    /** What one of its metrics says now. */
    metric: (name: string) => metricValues(metrics.sources, `baton_${name}`),
  };
}

/** What GitHub, the records and the streams say. */
async function whatIsSeen(nats: Nats, control: TestGitHub['control']) {
  const { scaleSetId } = aSpec();
  const [sessions, registrations] = [await openSessions(nats), await openRegistrations(nats)];
  const statuses = await openStatus(nats);
  const letters = await DeadLetters.open(nats);
  const set = async () => (await control.state()).scaleSets.find(({ name }) => name === 'linux');
  const fault = async (id: string) =>
    (await control.state()).faults.find((candidate) => candidate.id === id);
  return {
    scaleSetId,
    /** The scale set as GitHub has it. */
    set,
    session: async () => (await set())?.session ?? undefined,
    record: async () => (await sessions.get(scaleSetId))?.value,
    registration: async () => (await registrations.get(scaleSetId))?.value,
    status: async () => (await statuses.get(scaleSetId))?.value,
    letters: async () => (await letters.list({}, 100)).letters,
    letter: async (id: number) => await letters.find(id),
    /** The job facts, as "type job", sorted. */
    facts: async () => await factsOf(nats, scaleSetId),
    events: async () => await eventsOf(nats, scaleSetId),
    /** How often a route was asked since the fault was set. */
    asked: async (id: string) => (await fault(id))?.seen ?? 0,
    /** How often a fault struck. */
    struck: async (id: string) => (await fault(id))?.hits ?? 0,
    /** Resolves when every given fact is there, once, and no other. */
    untilFacts: async (...expected: string[]) => {
      await eventually(async () => {
        expect(await factsOf(nats, scaleSetId)).toEqual(expected.toSorted());
      }, patient);
    },
    untilEmpty: async () => {
      await eventually(async () => expect((await set())?.messages).toBe(0), patient);
    },
  };
}

/** What happened to the scale set itself, oldest first. */
async function eventsOf(nats: Nats, scaleSetId: string): Promise<ScaleSetEvent[]> {
  const stored = await storedMessages(nats, streams.events);
  return stored
    .filter(({ subject }) => subject.startsWith(`baton.v1.event.listener.${scaleSetId}.`))
    .flatMap(({ data }) => scaleSetEventSchema.safeParse(data).data ?? []);
}
