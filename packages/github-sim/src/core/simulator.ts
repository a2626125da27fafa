import type { Clock } from '@baton/shared/time';
import { Faults } from './faults.ts';
import { JobBoard } from './job-board.ts';
import { JobFlow } from './job-flow.ts';
import { JobQueues } from './job-queues.ts';
import { Journal } from './journal.ts';
import type { HeldPoll, ScaleSet, Session } from './model.ts';
import type { SimOptions } from './options.ts';
import { PollGaps } from './poll-gaps.ts';
import { Polls, trackKey } from './polls.ts';
import { RunnerDesk } from './runner-desk.ts';
import { Runners } from './runners.ts';
import { type ScaleSetFields, ScaleSets } from './scale-sets.ts';
import { Sessions } from './sessions.ts';
import { Tokens } from './tokens.ts';
import { Traffic } from './traffic.ts';

interface SimulatorOptions {
  clock: Clock;
  options: SimOptions;
  /** Where it is reached, without a slash at the end. */
  baseUrl: string;
}

/** The GitHub side as plain state: what the routes ask, without HTTP. */
export class Simulator {
  readonly options: SimOptions;
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly tokens: Tokens;
  readonly scaleSets: ScaleSets;
  readonly sessions: Sessions;
  readonly polls: Polls;
  readonly flow: JobFlow;
  readonly jobs: JobBoard;
  readonly runners: Runners;
  readonly desk: RunnerDesk;
  readonly gaps: PollGaps;
  readonly journal: Journal;
  readonly faults: Faults;
  readonly traffic = new Traffic();
  readonly #queues = new JobQueues();
  readonly #stop = new AbortController();

  constructor({ clock, options, baseUrl }: SimulatorOptions) {
    const stop = this.#stop.signal;
    this.options = options;
    this.baseUrl = baseUrl;
    this.clock = clock;
    this.tokens = new Tokens(clock, options);
    this.scaleSets = new ScaleSets(clock, options.runnerGroups);
    this.gaps = new PollGaps(clock);
    this.journal = new Journal(clock);
    this.faults = new Faults(clock, options.seed);
    this.polls = new Polls({ clock, options, gaps: this.gaps, journal: this.journal, stop });
    this.flow = new JobFlow({ clock, options, queues: this.#queues, polls: this.polls, stop });
    this.jobs = new JobBoard(clock, this.#queues, this.flow);
    this.sessions = new Sessions({
      clock,
      options,
      journal: this.journal,
      onEnded: ({ set }) => {
        if (options.endedSessionJobs === 'retract') this.flow.retract(set);
      },
    });
    this.runners = new Runners({
      clock,
      serverUrl: baseUrl,
      onJobAbandoned: (job) => this.flow.finish(job, { status: 'failed', result: 'failed' }),
    });
    this.desk = new RunnerDesk({
      clock,
      options,
      runners: this.runners,
      flow: this.flow,
      outageEndsAt: () => this.faults.outageEndsAt(),
      stop,
    });
  }

  /** Aborted when the simulator closes. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  createScaleSet(scope: string, fields: ScaleSetFields): ScaleSet {
    const set = this.scaleSets.create(scope, fields);
    this.#queues.connect(set);
    return set;
  }

  updateScaleSet(set: ScaleSet, fields: ScaleSetFields): void {
    this.scaleSets.update(set, fields);
    this.#queues.connect(set);
    this.flow.fill(set);
  }

  /** Loses the jobs bound to the set, as the real service does. Running jobs go on. */
  deleteScaleSet(set: ScaleSet): void {
    this.scaleSets.remove(set);
    this.#queues.disconnect(set);
    if (set.session) this.sessions.end(set.session, 'deleted');
    for (const runner of this.runners.all()) {
      if (runner.set === set && runner.status !== 'busy') this.runners.unregister(runner);
    }
    this.flow.abandon(set);
  }

  /** Begins a long poll; the answer may be there at once. */
  poll(session: Session, request: Omit<HeldPoll, 'hold'>): HeldPoll {
    const poll = this.polls.hold(session, request);
    this.flow.fill(session.set, true);
    return poll;
  }

  /** Every GitHub-side route answers `status` for a while, and so do the polls held now. */
  startOutage(ms: number, status: number): void {
    this.faults.startOutage(ms, status);
    for (const { name, session } of this.scaleSets.all()) {
      if (!session?.held) continue;
      const { hold, by } = session.held;
      hold.end({ kind: 'unavailable', status });
      const fault = { kind: 'status', status };
      this.journal.write(name, 'spoiled', { by, route: 'getMessage', fault });
    }
  }

  setTracking(set: ScaleSet, enabled: boolean): void {
    this.gaps.setTracking(trackKey(set), enabled);
  }

  /** Ends all timers and answers everything that is held. */
  close(): void {
    for (const { session } of this.scaleSets.all()) session?.held?.hold.end({ kind: 'none' });
    for (const runner of this.runners.all()) runner.held?.hold.end({ kind: 'none' });
    this.#stop.abort();
  }
}
