import {
  commandAckWaitMs,
  commandSubject,
  consumers,
  type RunnerCommand,
  runnerCommandSchema,
  streams,
} from '@baton/shared/contracts';
import { consumeLoop, done, type Nats } from '@baton/shared/messaging';
import { findWaiting } from './ask-for-waiting.ts';
import type { ProvisionerConfig } from './config.ts';
import type { Hands } from './core/next-lane.ts';
import type { CreateDeps } from './create-deps.ts';
import { CreateQueue } from './create-queue.ts';
import { createRunner } from './create-runner.ts';

type Limits = Pick<ProvisionerConfig, 'createConcurrency' | 'createConcurrencyPerScaleSet'>;

/** The queue through which all creates of this process go. */
export function serveCreates(given: CreateDeps, limits: Limits, abort: AbortSignal): CreateQueue {
  const deps = { ...given, log: given.log.child({ component: 'create' }) };
  const queue = new CreateQueue({
    create: (command, signal) => createRunner(deps, command, signal),
    findWaiting: (scaleSetId, provider, count) =>
      findWaiting(deps, scaleSetId, { provider, count, isKnown: (id) => queue.has(id) }),
    handsOf: (provider) => handsOf(deps, limits, provider),
    clock: deps.clock,
    log: deps.log,
    signal: abort,
  });
  return queue;
}

/** How many creates may run at once in a provider, and for one scale set in it. */
function handsOf({ providers }: CreateDeps, limits: Limits, provider: string): Hands {
  const total = providers.get(provider)?.createConcurrency ?? limits.createConcurrency;
  return { total, perScaleSet: Math.min(total, limits.createConcurrencyPerScaleSet) };
}

/**
 * Takes create commands until `signal` is aborted, and ends when nothing is being created any more.
 * A command is a call to look at a record: it is taken at once, and settled.
 */
export async function consumeCreates(
  nats: Nats,
  queue: CreateQueue,
  deps: Pick<CreateDeps, 'publisher' | 'instance' | 'clock' | 'log'>,
  { signal, abort }: { signal: AbortSignal; abort: AbortSignal },
): Promise<void> {
  const source = { stream: streams.commands, consumer: consumers.createCommands };
  const pulls = { concurrency: 2, batch: 100, heartbeatMs: commandAckWaitMs / 3 };
  const options = { ...source, ...pulls, service: 'provisioner', maxDeliveries: 20 };
  const handle = (command: RunnerCommand) => {
    queue.offer(command);
    return Promise.resolve(done());
  };
  const { publisher, log } = deps;
  const how = { nats, publisher, log, schema: runnerCommandSchema, handle };
  await consumeLoop({ ...options, ...how }, signal, abort);
  await handOverCreates(queue, deps, abort);
}

/**
 * Starts no more creates, has those that waited asked for again, so that another provisioner need not
 * find out by itself, and waits for those under way.
 */
async function handOverCreates(
  queue: CreateQueue,
  { publisher, instance, clock, log }: Pick<CreateDeps, 'publisher' | 'instance' | 'clock' | 'log'>,
  abort: AbortSignal,
): Promise<void> {
  const window = Math.floor(clock.now() / 1_000);
  const publishing = queue.stop().map(async (command) => {
    const { scaleSetId, runnerId, traceparent } = command;
    const messageId = `create-${runnerId}-left-by-${instance}-${window}`;
    const options = { messageId, traceparent, signal: abort };
    await publisher.publish(commandSubject('create', scaleSetId), command, options);
  });
  const results = await Promise.allSettled(publishing);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) log.warn({ err: failed.reason }, 'what waited was not handed over, the pass asks');
  await queue.idle();
}
