/** What a handler says about a message. Only the consume loop settles it with NATS. */
export type Outcome =
  | { kind: 'done' }
  /** Deliver it again after `delayMs`. For NATS trouble only, never as business back-off. */
  | { kind: 'retry'; delayMs: number; reason: string }
  /** It can never be handled: keep it, whole, as a dead letter. */
  | { kind: 'reject'; reason: string };

export function done(): Outcome {
  return { kind: 'done' };
}

export function retryLater(delayMs: number, reason: string): Outcome {
  return { kind: 'retry', delayMs, reason };
}

export function reject(reason: string): Outcome {
  return { kind: 'reject', reason };
}
