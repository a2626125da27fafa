import { isGitHubError } from '@baton/scaleset';
import type { RingEntry } from '@baton/shared/contracts';
import { inSpan, type Logger } from '@baton/shared/telemetry';
import type { MessageRing } from './core/message-ring.ts';
import type { QueueCalls } from './message-pipeline-calls.ts';

interface DeletesDeps {
  calls: QueueCalls;
  ring: MessageRing;
  log: Logger;
}

/** Deletes messages at GitHub, in the order in which they came. */
export class MessageDeletes {
  readonly #deps: DeletesDeps;
  #deleting: Promise<void> = Promise.resolve();

  constructor(deps: DeletesDeps) {
    this.#deps = deps;
  }

  /** When all that was queued by now is deleted; rejects with what the first one failed with. */
  get done(): Promise<void> {
    return this.#deleting;
  }

  /** Queues a delete behind the earlier ones; the next message need not wait for it. */
  queue(entry: RingEntry, parent: string | undefined): void {
    const { calls, ring } = this.#deps;
    this.#deleting = this.#deleting.then(async () => {
      try {
        await inSpan('delete message', { parent }, () => calls.delete(entry.messageId));
        // The record learns it with its next write; until then the entry is merely superfluous.
        ring.forget(entry);
      } catch (error) {
        this.#goOnWithout(entry, error);
      }
    });
    // Whoever waits for the message sees the failure; this only keeps it from being unhandled.
    this.#deleting.catch(() => undefined);
  }

  /** Rethrows what is more than a refusal to delete one message. */
  #goOnWithout(entry: RingEntry, error: unknown): void {
    const { ring, log } = this.#deps;
    if (!isGitHubError(error, 'forbidden', 'refused')) throw error;
    const refusal = ring.refuse(entry);
    if (refusal === 'too many') throw error;
    const { messageId } = entry;
    if (refusal === 'first')
      log.error({ err: error, messageId }, 'github refuses to delete a message');
  }
}
