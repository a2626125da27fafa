import type { RenewalOutcome } from '@baton/shared/lease';
import { Counter, Histogram, type MetricSource, type NumberSource } from '@baton/shared/telemetry';
import { JobMetrics } from './job-metrics.ts';
import type { LeaseLosses } from './lease-losses.ts';
import type { StatusReporter } from './status-reporter.ts';

/**
 * What a listener counts, by scale set: plain numbers, read when somebody scrapes them. One for the
 * whole process; counting never fails and costs nothing.
 */
export class ListenerMetrics {
  /** Told of every lease that is lost or taken. */
  readonly #losses: LeaseLosses | undefined;
  readonly sessionsOpened = new Counter<'scale_set' | 'how'>({
    name: 'baton_sessions_opened_total',
    help: 'Message sessions that this listener opened, by how they were got.',
  });
  readonly sessionsReplaced = new Counter<'scale_set' | 'reason'>({
    name: 'baton_sessions_replaced_total',
    help: 'Sessions that had to be replaced by a new one.',
  });
  readonly sessionConflicts = new Counter<'scale_set'>({
    name: 'baton_session_conflicts_total',
    help: 'Sessions that GitHub refused because another one is active.',
  });
  readonly leasesLost = new Counter<'scale_set' | 'reason'>({
    name: 'baton_lease_lost_total',
    help: 'Leases that ended without being given up.',
  });
  readonly leaseTakeovers = new Counter<'scale_set' | 'how'>({
    name: 'baton_lease_takeovers_total',
    help: 'Leases that this listener took, by what it found.',
  });
  readonly pollFailures = new Counter<'scale_set' | 'kind'>({
    name: 'baton_poll_failures_total',
    help: 'Polls that ended without an answer that could be used.',
  });
  readonly messages = new Counter<'scale_set'>({
    name: 'baton_messages_total',
    help: 'Messages that GitHub delivered, repeated ones included.',
  });
  readonly deadLetters = new Counter<'scale_set'>({
    name: 'baton_dead_letters_total',
    help: 'Messages that could not be understood and were kept as dead letters.',
  });

  readonly #firstSession = Promise.withResolvers<void>();
  /** Not a `Counter`, because a thousand scale sets renew three hundred times a second. */
  readonly #renewals: Record<RenewalOutcome, number> = { confirmed: 0, unconfirmed: 0, lost: 0 };
  readonly leaseRenewals: NumberSource = {
    name: 'baton_lease_renewals_total',
    help: 'Renewals of leases: confirmed; unconfirmed, when NATS did not answer; or lost.',
    kind: 'counter',
    read: () =>
      Object.entries(this.#renewals).map(([outcome, value]) => ({ labels: { outcome }, value })),
  };
  readonly leaseTakeoverSeconds = new Histogram<'how'>({
    name: 'baton_lease_takeover_seconds',
    help: 'How long leases that this listener took had been free, or their holder silent, by what was found.',
  });
  readonly sessionGap = new Histogram({
    name: 'baton_session_gap_seconds',
    help: 'For how long scale sets had no session: from the end of one, or the silence of the listener that had it, to the next one.',
  });
  readonly messageToEvent = new Histogram({
    name: 'baton_message_to_event_seconds',
    help: 'From the arrival of a message of GitHub until all that it says was stored in NATS.',
  });
  readonly jobs = new JobMetrics();
  constructor(losses?: LeaseLosses) {
    this.#losses = losses;
  }

  /** Of every scale set that this listener works on or waits for. */
  readonly reporters = new Set<StatusReporter>();

  readonly #byScaleSet = [
    this.sessionsOpened,
    this.sessionsReplaced,
    this.sessionConflicts,
    this.leasesLost,
    this.leaseTakeovers,
    this.pollFailures,
    this.messages,
    this.deadLetters,
  ] as const;

  get sources(): MetricSource[] {
    return [
      ...this.#byScaleSet,
      this.leaseRenewals,
      this.leaseTakeoverSeconds,
      this.sessionGap,
      this.messageToEvent,
      ...this.jobs.sources,
    ];
  }

  watch(reporter: StatusReporter): void {
    this.reporters.add(reporter);
  }

  unwatch(reporter: StatusReporter): void {
    this.reporters.delete(reporter);
  }

  /** The scale set is not there any more. */
  forget(scaleSetId: string): void {
    for (const one of this.#byScaleSet) one.forget('scale_set', scaleSetId);
    this.jobs.forget(scaleSetId);
  }

  leaseTaken(scaleSetId: string, how: 'free' | 'broken' | 'own', tookMs: number): void {
    this.#losses?.taken(scaleSetId);
    this.leaseTakeovers.add({ scale_set: scaleSetId, how });
    this.leaseTakeoverSeconds.recordMs({ how }, tookMs);
  }

  readonly leaseRenewed = (outcome: RenewalOutcome): void => {
    this.#renewals[outcome] += 1;
  };

  leaseLost(scaleSetId: string, reason: string): void {
    this.#losses?.lost(scaleSetId, reason);
    this.leasesLost.add({ scale_set: scaleSetId, reason });
  }

  /** Resolves when a session is open. */
  get firstSession(): Promise<void> {
    return this.#firstSession.promise;
  }

  sessionOpened(scaleSetId: string, how: string): void {
    this.#firstSession.resolve();
    this.sessionsOpened.add({ scale_set: scaleSetId, how });
  }

  sessionReplaced(scaleSetId: string, reason: string): void {
    this.sessionsReplaced.add({ scale_set: scaleSetId, reason });
  }

  sessionConflict(scaleSetId: string): void {
    this.sessionConflicts.add({ scale_set: scaleSetId });
  }

  pollFailed(scaleSetId: string, kind: string): void {
    this.pollFailures.add({ scale_set: scaleSetId, kind });
  }

  messageReceived(scaleSetId: string): void {
    this.messages.add({ scale_set: scaleSetId });
  }

  gapEnded(tookMs: number): void {
    this.sessionGap.recordMs({}, tookMs);
  }

  messageStored(tookMs: number): void {
    this.messageToEvent.recordMs({}, tookMs);
  }

  deadLetter(scaleSetId: string): void {
    this.deadLetters.add({ scale_set: scaleSetId });
  }
}
