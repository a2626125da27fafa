import type { SimControl } from '@baton/github-sim';
import type { Random } from '@baton/shared/retry';
import type { Clock } from '@baton/shared/time';
import type { LocalStack } from '../local-stack.ts';
import { aborted } from './aborted.ts';
import { findMoment } from './find-moment.ts';
import type { Observer } from './observer.ts';
import type { KillTarget } from './options.ts';
import { pick } from './random.ts';
import type { Kill } from './report.ts';
import type { Supervisor } from './supervisor.ts';

interface StrikeOptions {
  target: KillTarget;
  jobCount: number;
  stack: LocalStack;
  sim: SimControl;
  observer: Observer;
  supervisor: Supervisor;
  clock: Clock;
  random: Random;
  say: (text: string) => void;
}

interface Victim {
  /** An instance, or `nats`. */
  name: string;
  pid: number;
  kill: () => Promise<void>;
}

const lookEveryMs = 20;
/** The strike comes somewhere after a quarter of the jobs, and early enough to find its moment. */
const strikeShare = { least: 0.25, spread: 0.3 };

/**
 * Kills a process in the middle of the work: when at least one runner is being created and one is
 * busy. Resolves when it is back; without a kill when that moment did not come in time.
 */
export async function strike(options: StrikeOptions, signal: AbortSignal): Promise<Kill[]> {
  const { jobCount, sim, observer, clock, random } = options;
  const startedAt = clock.monotonic();
  const fromShare = strikeShare.least + random() * strikeShare.spread;
  const whom = random();
  while (!signal.aborted) {
    const early = findMoment(await sim.state(), { jobCount, fromShare }) === 'early';
    const victim = early ? undefined : await chooseVictim(options, whom);
    const { jobs, runners } = await sim.state();
    const moment = findMoment({ jobs, runners }, { jobCount, fromShare });
    if (moment === 'late') return [];
    const now = moment === 'now' || (moment === 'look' && (await observer.isCreating()));
    if (victim && now) {
      return [await kill(options, victim, { startedAt, completedBefore: jobs.completed, signal })];
    }
    await clock.sleep(lookEveryMs, signal).catch(() => undefined);
  }
  return [];
}

async function kill(
  { target, jobCount, supervisor, clock, say }: StrikeOptions,
  victim: Victim,
  moment: { startedAt: number; completedBefore: number; signal: AbortSignal },
): Promise<Kill> {
  const { startedAt, completedBefore, signal } = moment;
  const { name, pid } = victim;
  const returned = supervisor.nextReturn(name);
  const atMs = Math.round(clock.monotonic() - startedAt);
  await victim.kill();
  say(`killed ${name} (pid ${pid}) after ${completedBefore} of ${jobCount} jobs`);
  const backAt = await Promise.race([returned, aborted(signal)]);
  const backAtMs = backAt === undefined ? null : Math.round(backAt - startedAt);
  return { service: target, pid, atMs, completedBefore, backAtMs };
}

/** Of the listeners one that has a session, of the others any; `whom` in [0, 1) decides. */
async function chooseVictim(
  { target, stack, observer }: StrikeOptions,
  whom: number,
): Promise<Victim | undefined> {
  if (target === 'nats') {
    return { name: 'nats', pid: stack.natsPid, kill: () => stack.killNats() };
  }
  const instances = stack.services
    .filter(({ service }) => service === target)
    .map(({ instance }) => instance);
  const holders = target === 'listener' ? await observer.holders() : instances;
  const name = pick(
    instances.filter((instance) => holders.includes(instance)),
    () => whom,
  );
  if (name === undefined) return undefined;
  const service = stack.service(name);
  return { name, pid: service.pid, kill: () => service.kill() };
}
