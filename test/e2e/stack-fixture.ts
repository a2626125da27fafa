import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SimControl } from '@baton/github-sim';
import { Secret } from '@baton/shared/config';
import { type Runner, scaleSetIdOf, streams } from '@baton/shared/contracts';
import { connectNats, type Nats } from '@baton/shared/messaging';
import { openRunners, openSessions } from '@baton/shared/stores';
import { silentLogger } from '@baton/shared/telemetry';
import { systemClock } from '@baton/shared/time';
import { LocalStack, type StackOptions } from '@baton/stack';
import { eventually } from '@baton/testkit';

const patient = { timeoutMs: 30_000, everyMs: 20 };

/** The whole system as processes, quiet, against a simulator with these arguments. */
export async function startStack(
  services: StackOptions['services'],
  simulatorArgs: readonly string[] = [],
  serviceEnv: Record<string, string> = {},
  envOf: NonNullable<StackOptions['envOf']> = {},
): Promise<LocalStack> {
  return await LocalStack.start({
    env: process.env,
    services,
    github: { kind: 'simulator', args: simulatorArgs },
    maxInstances: 60,
    leaseTtlMs: 10_000,
    serviceEnv,
    envOf,
    say: () => undefined,
  });
}

export function simulator(stack: LocalStack): SimControl {
  if (!stack.sim) throw new Error('the stack runs without a simulator');
  return stack.sim;
}

/** Whether the simulator holds a poll of the scale set right now. */
export async function heldPoll(stack: LocalStack, scaleSet: string): Promise<boolean> {
  const { scaleSets } = await simulator(stack).state();
  return scaleSets.some(({ name, session }) => name === scaleSet && session?.held === true);
}

/** The provider's own books: one folder an instance. */
export async function instances(stack: LocalStack): Promise<string[]> {
  const entries = await readdir(join(stack.dir, 'instances', 'local'));
  return entries.filter((name) => !name.startsWith('.'));
}

/** The runner processes of an instance end, as though the host had killed them. */
export async function killInstance(stack: LocalStack, runnerId: string): Promise<void> {
  const file = join(stack.dir, 'instances', 'local', runnerId, 'pid');
  const [leader = ''] = (await readFile(file, 'utf8')).split(' ');
  process.kill(-Number(leader), 'SIGKILL');
}

/** What Baton knows of its runners. */
export async function records(stack: LocalStack): Promise<Runner[]> {
  await using nats = await connectAsCli(stack);
  return (await (await openRunners(nats)).list()).map(({ value }) => value);
}

/** A connection with the rights of the operator. */
export async function connectAsCli(stack: LocalStack): Promise<Nats> {
  const variables = stack.variablesOf('cli');
  return await connectNats({
    natsUrl: stack.natsUrl,
    natsUser: 'cli',
    natsPassword: new Secret(variables.BATON_NATS_PASSWORD ?? ''),
    natsConnectTimeoutMs: 5_000,
    name: 'test',
    log: silentLogger(),
    clock: systemClock,
  });
}

/** How many job events of each kind were published: `assigned`, `started`, `completed`. */
export async function jobEvents(stack: LocalStack): Promise<Record<string, number>> {
  await using nats = await connectAsCli(stack);
  const jsm = await nats.connection.jetstreamManager({ checkAPI: false });
  const filter = { subjects_filter: 'baton.v1.event.listener.*.job.*' };
  const { state } = await jsm.streams.info(streams.events, filter);
  const counts: Record<string, number> = {};
  for (const [subject, count] of Object.entries(state.subjects ?? {})) {
    const kind = subject.split('.').at(-1) ?? '';
    counts[kind] = (counts[kind] ?? 0) + count;
  }
  return counts;
}

/** As though the record had never been written: the session id is known to nobody. */
export async function wipeSession(stack: LocalStack, scaleSet: string): Promise<void> {
  const scaleSetId = scaleSetIdOf(scaleSet);
  await using nats = await connectAsCli(stack);
  const sessions = await openSessions(nats);
  const entry = await sessions.get(scaleSetId);
  if (!entry) throw new Error('there is no session record to wipe');
  await sessions.delete(scaleSetId, entry.revision);
}

/** How long the simulator holds the session of a client that died, in ms: as GitHub, measured. */
export const sessionExpiryMs = 75_000;

/** The system, with one scale set, `linux`, whose session is being polled. */
export async function startPolling(): Promise<LocalStack> {
  const stack = await startStack({ listener: 1, provisioner: 1, janitor: 1 }, [
    '--session-expiry-ms',
    String(sessionExpiryMs),
  ]);
  await stack.applyScaleSets([{ name: 'linux', maxRunners: 25 }]);
  await eventually(async () => {
    if (!(await heldPoll(stack, 'linux'))) throw new Error('linux is not polled');
  }, patient);
  return stack;
}

export async function completedJobs(stack: LocalStack): Promise<string[]> {
  const jobs = await simulator(stack).jobs();
  return jobs.filter(({ status }) => status === 'completed').map(({ id }) => id);
}
