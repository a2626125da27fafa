import type { JobMessage, QueueMessage, ScaleSetClient, Session } from '@baton/scaleset';
import type { Random } from '@baton/shared/retry';
import { type Logger, startSpan } from '@baton/shared/telemetry';
import { type Clock, isAborted } from '@baton/shared/time';
import type { CapacityWatch } from './capacity-watch.ts';
import type { DemandCounter } from './core/demand-counter.ts';
import { RetractedJobs } from './core/retracted-jobs.ts';
import { WaitingJobs, type WaitingPolicy } from './core/waiting-jobs.ts';
import type { Offers } from './offers.ts';
import type { StatusReporter } from './status-reporter.ts';

interface ReportDeps {
  status: StatusReporter;
  capacity: CapacityWatch;
  client: ScaleSetClient;
  offers: Offers;
  clock: Clock;
  random: Random;
  log: Logger;
}

export interface ReportOptions {
  githubScaleSetId: number;
  session: Session;
  /** The session is a new one: jobs of an earlier one may come back as cancelled. */
  replaced: boolean;
  policy: WaitingPolicy;
  demand: DemandCounter;
  /** Called when the demand has changed without a message, with what was traced of the reason. */
  onDemand: (traceparent: string | undefined) => void;
  signal: AbortSignal;
}

/** How long the operator is told of jobs that were retracted, in ms. */
const tellRetractedMs = 1_800_000;
/** Between two looks at least, in ms. */
const minLookMs = 1_000;

/** Watches one session for jobs that GitHub took back, keeps back or has not offered again. */
export class JobReports {
  readonly #deps: ReportDeps;
  readonly #options: ReportOptions;
  readonly #retracted = new RetractedJobs();
  readonly #waiting: WaitingJobs;

  constructor(deps: ReportDeps, options: ReportOptions) {
    this.#deps = deps;
    this.#options = options;
    const now = deps.clock.monotonic();
    this.#waiting = new WaitingJobs(options.policy, now);
    this.#waiting.onStatistics(options.session.statistics, deps.capacity.current > 0, now);
    // What the session before this one has told may hold on, or is over.
    if (!this.#waiting.noneAssigned) this.#tellWaiting();
  }

  /** Takes a message in, before it is handled. */
  onMessage(message: QueueMessage, inBacklog: boolean): void {
    const { capacity, clock } = this.#deps;
    const now = clock.monotonic();
    const jobs = message.kind === 'jobs' ? message.jobs : [];
    this.#waiting.onStatistics(message.statistics, capacity.current > 0, now);
    this.#waiting.onJobs(jobs, now);
    this.#tellWaiting();
    if (this.#options.replaced) this.#tellRetracted(jobs, inBacklog);
  }

  /** What waited at GitHub was delivered: offers that did not come are lost. Never rejects. */
  async onBacklogOver(): Promise<void> {
    await this.#deps.offers.recover();
  }

  /** Looks from time to time, because nobody tells that nothing happens. Until the signal is aborted. */
  async run(): Promise<void> {
    const { clock, random, offers } = this.#deps;
    const { signal, policy } = this.#options;
    while (!signal.aborted) {
      const inMs = this.#askInMs() * (0.8 + 0.2 * random());
      // Jobs may begin to wait meanwhile: then it is to be looked at more often.
      const waitMs = Math.max(minLookMs, Math.min(inMs, policy.maxAgeWaitingMs));
      await clock.sleep(waitMs, signal).catch(() => undefined);
      if (isAborted(signal)) return;
      if (this.#askInMs() <= inMs * 0.25) await this.#ask();
      if (this.#waiting.offersLost(clock.monotonic())) await offers.recover(this.#waiting.idle);
      this.#tellWaiting();
      this.#forgetRetracted();
    }
  }

  #askInMs(): number {
    const { demand } = this.#options;
    return this.#waiting.askInMs(this.#deps.clock.monotonic(), demand.exceedsStatistics);
  }

  async #ask(): Promise<void> {
    const { client, capacity, clock, log, status } = this.#deps;
    const { githubScaleSetId, signal, demand, onDemand } = this.#options;
    const { seq } = demand.current;
    // Told only when there is something new.
    const span = startSpan('ask for statistics', { parent: null });
    try {
      const { statistics } = await client.getScaleSet(githubScaleSetId, { signal });
      this.#waiting.asked(clock.monotonic());
      this.#waiting.onStatistics(statistics, capacity.current > 0, clock.monotonic());
      if (demand.onStatistics(statistics, seq, clock.monotonic())) {
        span.end();
        onDemand(span.traceparent);
      }
      if (statistics) status.counted(statistics, false);
    } catch (err) {
      this.#waiting.asked(clock.monotonic());
      if (!signal.aborted) log.debug({ err }, 'statistics could not be had');
    }
  }

  #tellWaiting(): void {
    const { status, clock } = this.#deps;
    status.setCondition(
      'jobs-not-assigned',
      this.#waiting.notAssigned(clock.monotonic())
        ? 'GitHub says that jobs wait for this scale set and assigns none, though it could run some: run them again, or disable and enable the scale set'
        : undefined,
    );
  }

  #tellRetracted(jobs: readonly JobMessage[], inBacklog: boolean): void {
    const { status, log } = this.#deps;
    const before = this.#retracted.count;
    for (const job of this.#retracted.onMessage(jobs, inBacklog)) {
      const { jobId, ownerName, repositoryName, workflowRunId, jobDisplayName } = job;
      const repository = `${ownerName}/${repositoryName}`;
      log.warn({ jobId, repository, workflowRunId, jobDisplayName }, 'job was retracted by github');
    }
    const { count } = this.#retracted;
    if (count === before) return;
    const text = `${count} ${count === 1 ? 'job' : 'jobs'} came back as cancelled when a session was replaced: run them again; the listener's log names them ("job was retracted by github")`;
    status.setCondition('jobs-retracted', count > 0 ? text : undefined);
  }

  #forgetRetracted(): void {
    const { status, clock } = this.#deps;
    const told = status.current.conditions.find(({ type }) => type === 'jobs-retracted');
    if (told && clock.now() - Date.parse(told.since) >= tellRetractedMs) {
      status.setCondition('jobs-retracted', undefined);
    }
  }
}
