import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RunnerHost } from '@baton/github-sim/runner-host';
import { type RunnerState, runnerStates } from '@baton/shared/contracts';
import { LocalStack, type ScaleSetEntry, type StackOptions } from '@baton/stack';
import { eventually } from '@baton/testkit';
import { expect } from 'vitest';
import { simulator } from './stack-fixture.ts';

const hostedRunner = fileURLToPath(
  new URL('../../packages/github-sim/bin/run-hosted.sh', import.meta.url),
);

type Wanted = Partial<StackOptions> & Pick<StackOptions, 'services'>;

/**
 * The whole system as processes, with room for hundreds of instances: each is a real one of the process
 * provider, whose processes live and die as any; only what their runners say to GitHub is said by this
 * process, because so many Node processes would have the machine for themselves.
 */
export async function startFleet(wanted: Wanted) {
  await using undo = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'baton-fleet-'));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  const runners = join(dir, 'runners');
  undo.use(await RunnerHost.start(runners));
  const options: StackOptions = {
    env: process.env,
    github: { kind: 'simulator', args: [] },
    maxInstances: 60,
    leaseTtlMs: 10_000,
    simulatedRunner: { command: [hostedRunner], env: { SIM_RUNNER_HOST: runners } },
    say: () => undefined,
    ...wanted,
  };
  const stack = undo.use(await LocalStack.start(options));
  const owned = undo.move();
  return {
    stack,
    sim: simulator(stack),
    /** Of the same simulator, provider's folder and kind of runners, with a NATS of its own. */
    beside: async (other: Wanted) =>
      await LocalStack.start({ ...options, github: { kind: 'beside', stack }, ...other }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export type Fleet = Awaited<ReturnType<typeof startFleet>>;

/** Applies these scale sets, and no others; resolves when each of them is polled. */
export async function declare({ stack, sim }: Fleet, scaleSets: readonly ScaleSetEntry[]) {
  await stack.applyScaleSets(scaleSets);
  await eventually(async () => expect((await sim.state()).pollsHeld).toBe(scaleSets.length), {
    timeoutMs: 30_000,
  });
}

/** SIGKILL to all services, before any of them can see another one end. */
export async function killServices({ services }: LocalStack): Promise<void> {
  await Promise.all(services.map((service) => service.kill()));
}

export function restartServices({ services }: LocalStack): void {
  for (const service of services) service.restart();
}

/** Janitors look often; what they wait for before they act is as everywhere. */
export const frequentSweeps = {
  BATON_SWEEP_EVERY_MS: '5000',
  BATON_GITHUB_SWEEP_EVERY_MS: '5000',
};

/** How many of each there are. */
export function tally<T extends string>(names: Iterable<T>): Partial<Record<T, number>> {
  const counts: Partial<Record<T, number>> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Fails unless there are so many runners in each of these states. */
export function expectAtLeast(
  states: readonly RunnerState[],
  least: Partial<Record<RunnerState, number>>,
): void {
  const counts = tally(states);
  const short = runnerStates.filter((state) => (counts[state] ?? 0) < (least[state] ?? 0));
  expect(short, JSON.stringify(counts)).toEqual([]);
}

/** By the simulator's books. */
export async function untilCompleted(
  { sim }: Pick<Fleet, 'sim'>,
  ids: readonly string[],
): Promise<void> {
  const wanted = new Set(ids);
  await eventually(
    async () => {
      const jobs = (await sim.jobs()).filter(({ id }) => wanted.has(id));
      expect(tally(jobs.map(({ status }) => status))).toEqual({ completed: ids.length });
    },
    { timeoutMs: 120_000, everyMs: 200 },
  );
}
