import { Counter, Histogram, type MetricSource } from '../telemetry/index.ts';

/** What a process counts of the messages that it handles, by consumer. */
export class MessageMetrics {
  readonly #handled = new Counter<'consumer' | 'outcome'>({
    name: 'baton_messages_handled_total',
    help: 'Messages that were handled, each delivery for itself: done; retry, it comes again; reject, it became a dead letter; unsettled, NATS could not be told and it comes again.',
  });
  readonly #seconds = new Histogram<'consumer'>({
    name: 'baton_message_handling_seconds',
    help: 'How long a message was handled, until NATS was told what became of it.',
  });

  get sources(): MetricSource[] {
    return [this.#handled, this.#seconds];
  }

  handled(consumer: string, outcome: 'done' | 'retry' | 'reject' | 'unsettled', tookMs: number) {
    this.#handled.add({ consumer, outcome });
    this.#seconds.recordMs({ consumer }, tookMs);
  }
}
