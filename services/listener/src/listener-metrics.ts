import { Counter, type MetricSource } from '@baton/shared/telemetry';
import type { StatusReporter } from './status-reporter.ts';

/**
 * What a listener counts, by scale set: plain numbers, read when somebody scrapes them. One for the
 * whole process; counting never fails and costs nothing.
 */
export class ListenerMetrics {
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
  /** Of every scale set that this listener works on or waits for. */
  readonly reporters = new Set<StatusReporter>();

  get counters(): MetricSource[] {
    return [
      this.sessionsOpened,
      this.sessionsReplaced,
      this.sessionConflicts,
      this.leasesLost,
      this.leaseTakeovers,
      this.pollFailures,
      this.messages,
      this.deadLetters,
    ];
  }

  watch(reporter: StatusReporter): void {
    this.reporters.add(reporter);
  }

  unwatch(reporter: StatusReporter): void {
    this.reporters.delete(reporter);
  }

  leaseTaken(scaleSetId: string, how: 'free' | 'expired' | 'broken' | 'own'): void {
    this.leaseTakeovers.add({ scale_set: scaleSetId, how });
  }

  leaseLost(scaleSetId: string, reason: string): void {
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

  deadLetter(scaleSetId: string): void {
    this.deadLetters.add({ scale_set: scaleSetId });
  }
}
