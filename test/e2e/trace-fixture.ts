import { attributes } from '@baton/shared/telemetry';
import type { OtlpReceiver, ReceivedSpan } from '@baton/testkit';

/** Spans that a collector received, to be asked about. */
export class Received {
  readonly spans: readonly ReceivedSpan[];
  readonly #byPlace: ReadonlyMap<string, ReceivedSpan>;

  constructor({ spans }: Pick<OtlpReceiver, 'spans'>) {
    this.spans = [...spans];
    this.#byPlace = new Map(spans.map((span) => [placeOf(span), span]));
  }

  get(place: { traceId: string; spanId: string }): ReceivedSpan | undefined {
    return this.#byPlace.get(placeOf(place));
  }

  parentOf({ traceId, parentSpanId }: ReceivedSpan): ReceivedSpan | undefined {
    return parentSpanId === undefined ? undefined : this.get({ traceId, spanId: parentSpanId });
  }

  childrenOf(parent: ReceivedSpan): ReceivedSpan[] {
    return this.spans.filter(
      ({ traceId, parentSpanId }) => traceId === parent.traceId && parentSpanId === parent.spanId,
    );
  }

  /** The span itself, and all below it. */
  below(span: ReceivedSpan): ReceivedSpan[] {
    return [span, ...this.childrenOf(span).flatMap((child) => this.below(child))];
  }

  /** Spans that name a parent which nobody told of. */
  get orphans(): ReceivedSpan[] {
    return this.spans.filter((span) => span.parentSpanId !== undefined && !this.parentOf(span));
  }

  /** The spans `runner`, by the names of the runners. */
  get runners(): Map<string, ReceivedSpan> {
    const runners = this.spans.filter(({ name }) => name === 'runner');
    return new Map(runners.map((span) => [String(span.attributes[attributes.runnerName]), span]));
  }
}

function placeOf({ traceId, spanId }: { traceId: string; spanId: string }): string {
  return `${traceId}-${spanId}`;
}

/** `listener`, `provisioner` or `janitor`. */
export function serviceOf({ resource }: ReceivedSpan): string {
  return String(resource['service.name']).replace(/^baton-/, '');
}

export function pidOf({ resource }: ReceivedSpan): number {
  return Number(resource['process.pid']);
}
