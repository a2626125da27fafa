import {
  commandAckWaitMs,
  consumers,
  type RunnerCommand,
  runnerCommandSchema,
  streams,
} from '@baton/shared/contracts';
import { consumeLoop, done, type Nats, type Outcome } from '@baton/shared/messaging';
import type { DeleteDeps } from './delete-deps.ts';
import { DeleteQueue } from './delete-queue.ts';
import { advance, findMarked, laneOf } from './delete-runner.ts';
import { markForOperator } from './mark-for-operator.ts';
import { askFor, findInLane } from './marked-pass.ts';

interface ServeOptions {
  /** How many deletions may be under way at once in a provider. */
  deleteConcurrency: number;
  /** Aborted when the drain budget is nearly used up. */
  abort: AbortSignal;
}

/** How many calls may wait for GitHub by one credential: few more are sent at once. */
const githubHands = 50;

/** The queue through which all deletions of this process go. */
export function serveDeletes(
  deps: DeleteDeps,
  { deleteConcurrency, abort }: ServeOptions,
): DeleteQueue {
  const { clock, log, publisher, instance } = deps;
  const queue: DeleteQueue = new DeleteQueue({
    advance: (command, lane, signal) => advance(deps, command, lane, signal),
    findDue: (lane, count) => findInLane({ ...deps, queue }, lane, count),
    handsOf: (lane) => (lane.startsWith('github ') ? githubHands : deleteConcurrency),
    // Another janitor need not find out by itself that there is something to do.
    leave: async ({ operator: _heard, ...command }) => {
      const why = `left-by-${instance}-${Math.floor(clock.now() / 1_000)}`;
      await askFor({ publisher, signal: abort }, command, why).catch((err: unknown) =>
        log.warn({ runnerId: command.runnerId, err }, 'not handed over, the pass asks'),
      );
    },
    clock,
    log,
    signal: abort,
  });
  return queue;
}

/**
 * Takes a delete command: a call to look at a record. An operator's word is written into the record
 * first. Safe to repeat; whoever knows the runner already does nothing.
 */
export async function takeDelete(
  deps: DeleteDeps,
  queue: DeleteQueue,
  command: RunnerCommand,
): Promise<Outcome> {
  if (command.operator) await markForOperator(deps, command);
  if (queue.has(command.runnerId)) return done();
  // All that came together share one round, which reads what has changed; the pass need not any more.
  await deps.copy.sync();
  const found = await findMarked(deps, command);
  const lane = found && (await laneOf(deps, found.value));
  if (lane !== undefined) queue.offer(lane, command);
  return done();
}

/**
 * Takes delete commands until `signal` is aborted, and ends when nothing is being deleted any more. A
 * command is taken at once, and settled.
 */
export async function consumeDeletes(
  nats: Nats,
  deps: DeleteDeps,
  queue: DeleteQueue,
  { signal, abort }: { signal: AbortSignal; abort: AbortSignal },
): Promise<void> {
  const { publisher, log } = deps;
  await consumeLoop(
    {
      nats,
      publisher,
      log,
      service: 'janitor',
      stream: streams.commands,
      consumer: consumers.deleteCommands,
      schema: runnerCommandSchema,
      concurrency: 2,
      batch: 100,
      heartbeatMs: commandAckWaitMs / 3,
      maxDeliveries: 20,
      handle: (command) => takeDelete(deps, queue, command),
    },
    signal,
    abort,
  );
  queue.stop();
  await queue.idle();
}
