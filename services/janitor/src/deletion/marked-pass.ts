import { commandSubject, type Runner, type RunnerCommand } from '@baton/shared/contracts';
import { isBoundHere } from '@baton/shared/runners';
import { isLeftOver } from './core/is-left-over.ts';
import type { DeleteDeps } from './delete-deps.ts';
import type { DeleteQueue } from './delete-queue.ts';
import { laneOf } from './delete-runner.ts';

interface PassDeps extends DeleteDeps {
  queue: DeleteQueue;
  /** Aborted when the drain budget is nearly used up. */
  signal: AbortSignal;
}

/** Within this time one command is stored for a runner, however many janitors ask, in ms. */
const windowMs = 3_000;
/**
 * So many are asked for at a time, the oldest: enough to tell every janitor that there is work. Whoever has
 * done half of what it holds looks for more by itself.
 */
const mostAsked = 500;

/**
 * Finds marked runners whose delete command was lost or whose time for another try has come, and
 * asks for their deletion. Safe to run in any number of janitors: what is under way here, or claimed by
 * another, is not asked for; deleting twice is the same as once. A command reaches any janitor, so what
 * only this host can delete is taken on without one, and what only another can is left alone. Returns how
 * many there were.
 */
export async function markedPass(deps: PassDeps): Promise<number> {
  const { queue, providers } = deps;
  const due = await findDue(deps, (runner) => isLeftOver(runner, deps.clock.now()));
  const here: Due[] = [];
  const anywhere: Due[] = [];
  for (const one of due) {
    const isHere = isBoundHere(one.runner, providers.get(one.runner.provider));
    (isHere ? here : anywhere).push(one);
  }
  for (const { lane, runner } of here) queue.offer(lane, commandFor(runner));
  anywhere.sort((a, b) => (a.runner.stateAt < b.runner.stateAt ? -1 : 1));
  const asking = anywhere.slice(0, mostAsked);
  const lanes = new Set(anywhere.slice(mostAsked).map(({ lane }) => lane));
  for (const lane of lanes) queue.expectMore(lane);
  const window = `pass-${Math.floor(deps.clock.now() / windowMs)}`;
  await Promise.all(asking.map(({ runner }) => askFor(deps, commandFor(runner), window)));
  return due.length;
}

/**
 * Deletions with something to do in a lane, any of them, so that janitors that look at the same time
 * seldom choose the same.
 */
export async function findInLane(
  deps: DeleteDeps & { queue: DeleteQueue },
  lane: string,
  count: number,
): Promise<RunnerCommand[]> {
  const due = (await findDue(deps, () => true)).filter((one) => one.lane === lane);
  return due
    .map(({ runner }) => ({ runner, order: deps.random() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, count)
    .map(({ runner }) => commandFor(runner));
}

/** Has a janitor look at the runner; with the same `why` once within two minutes. */
export async function askFor(
  { publisher, signal }: Pick<PassDeps, 'publisher' | 'signal'>,
  command: RunnerCommand,
  why: string,
): Promise<void> {
  const { scaleSetId, runnerId, traceparent } = command;
  const messageId = `delete-${runnerId}-${why}`;
  const options = { messageId, traceparent, signal };
  await publisher.publish(commandSubject('delete', scaleSetId), command, options);
}

interface Due {
  runner: Runner;
  lane: string;
}

async function findDue(
  deps: DeleteDeps & { queue: DeleteQueue },
  isMeant: (runner: Runner) => boolean,
): Promise<Due[]> {
  const { copy, queue } = deps;
  await copy.sync();
  const due: Due[] = [];
  for (const { value: runner } of copy.all()) {
    if (!runner.mark || queue.has(runner.runnerId) || !isMeant(runner)) continue;
    const lane = await laneOf(deps, runner);
    if (lane !== undefined) due.push({ runner, lane });
  }
  return due;
}

function commandFor({ scaleSetId, runnerId, traceparent }: Runner): RunnerCommand {
  return { v: 1, scaleSetId, runnerId, traceparent };
}
