import { commandSubject } from '@baton/shared/contracts';
import { findWaiting } from './ask-for-waiting.ts';
import type { ProvisionerConfig } from './config.ts';
import type { Hands } from './core/next-lane.ts';
import type { CreateDeps } from './create-deps.ts';
import { CreateQueue } from './create-queue.ts';
import { createRunner } from './create-runner.ts';

type Limits = Pick<ProvisionerConfig, 'createConcurrency' | 'createConcurrencyPerScaleSet'>;

/** The queue through which all creates of this process go. */
export function serveCreates(deps: CreateDeps, limits: Limits, abort: AbortSignal): CreateQueue {
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
 * Starts no more creates, has those that waited asked for again, so that another provisioner need not
 * find out by itself, and waits for those under way.
 */
export async function handOverCreates(
  queue: CreateQueue,
  { publisher, instance, clock }: Pick<CreateDeps, 'publisher' | 'instance' | 'clock'>,
  abort: AbortSignal,
): Promise<void> {
  const window = Math.floor(clock.now() / 1_000);
  await Promise.all(
    queue.stop().map(async (command) => {
      const { scaleSetId, runnerId, traceparent } = command;
      const messageId = `create-${runnerId}-left-by-${instance}-${window}`;
      const options = { messageId, traceparent, signal: abort };
      await publisher.publish(commandSubject('create', scaleSetId), command, options);
    }),
  );
  await queue.idle();
}
