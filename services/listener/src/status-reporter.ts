import type { QueueMessage, Statistics } from '@baton/scaleset';
import {
  type Condition,
  type ConditionType,
  conditionTypes,
  type ScaleSetState,
  type Status,
} from '@baton/shared/contracts';
import type { StatusStore } from '@baton/shared/stores';
import type { Logger } from '@baton/shared/telemetry';
import { type Clock, isoNow } from '@baton/shared/time';
import { recentReplacements, replacementsText } from './core/replacements.ts';
import { nextUnserved, type Unserved } from './core/unserved.ts';
import type { ListenerMetrics } from './listener-metrics.ts';
import type { RegisteredHow, ScaleSetEvents } from './scale-set-events.ts';

interface StatusDeps {
  statuses: StatusStore;
  clock: Clock;
  log: Logger;
  metrics?: ListenerMetrics | undefined;
  /** Told about every condition that begins or ends, and of registrations. */
  events?: ScaleSetEvents | undefined;
}

/** A poll or a message alone is written at most this often, in ms. */
const quietMs = 10_000;

/**
 * Tells the operator what happens to one scale set: its status record, its conditions, what is
 * counted of it. Best effort: never throws and never stops the work.
 */
export class StatusReporter {
  readonly #deps: StatusDeps;
  #status: Status;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> = Promise.resolve();
  /** What an earlier owner left in the record; undefined until it was read. */
  #before: Status | 'nothing' | undefined;
  /** Whether this listener is the one that works on the scale set. */
  #ours = false;
  #unserved: Unserved | undefined;
  #statistics: Statistics | undefined;
  /** Wall clock since when polls are to be answered; undefined while none are. */
  #pollsDueSince: number | undefined;

  constructor(deps: StatusDeps, scaleSetId: string, owner: string) {
    this.#deps = deps;
    const since = isoNow(deps.clock);
    const nothing = { conditions: [], replacedAt: [] };
    this.#status = { v: 1, scaleSetId, state: 'waiting', owner, epoch: 0, since, ...nothing };
    deps.metrics?.watch(this);
  }

  get isOurs(): boolean {
    return this.#ours;
  }

  /** What another listener said last is that it cannot be served; known once something was written. */
  get failedElsewhere(): boolean {
    if (this.#before === undefined || this.#before === 'nothing') return false;
    return this.#before.state === 'failed' && this.#before.owner !== this.#status.owner;
  }

  /** For how long jobs have been assigned without any runner taking one, in ms; 0 when none wait. */
  get unservedMs(): number {
    return this.#unserved ? Math.max(0, this.#deps.clock.now() - this.#unserved.since) : 0;
  }

  /**
   * For how long no poll has been answered that should have been, in ms, whoever owned the scale set;
   * undefined while it is not to be polled. A session that is replaced does not start the time anew.
   */
  get pollAgeMs(): number | undefined {
    if (this.#pollsDueSince === undefined) return undefined;
    const { lastPollAt } = this.#status;
    const polledAt = lastPollAt === undefined ? Number.NEGATIVE_INFINITY : Date.parse(lastPollAt);
    return Math.max(0, this.#deps.clock.now() - Math.max(polledAt, this.#pollsDueSince));
  }

  /** What GitHub counted last, in any session of this listener's; undefined once it is not ours. */
  get statistics(): Statistics | undefined {
    return this.#statistics;
  }

  get state(): ScaleSetState {
    return this.#status.state;
  }

  /** What is known now; the record follows. */
  get current(): Readonly<Status> {
    return this.#status;
  }

  /**
   * Enters a state, or says more about it. What is not given again is dropped; with the work on a
   * scale set everything that was wrong with it ends.
   */
  enter(state: ScaleSetState, more: Partial<Omit<Status, 'state'>> = {}): void {
    if (isResting(state)) this.#forgetTroubles();
    this.#pollsDueSince = isToBePolled(state)
      ? (this.#pollsDueSince ?? this.#deps.clock.now())
      : undefined;
    const { v, scaleSetId, owner, epoch, since, conditions, replacedAt } = this.#status;
    const { lastPollAt, lastMessageAt, capacity } = this.#status;
    const changed = state !== this.#status.state;
    this.#ours = true;
    this.#status = {
      v,
      scaleSetId,
      owner,
      epoch,
      conditions,
      replacedAt,
      ...(lastPollAt ? { lastPollAt } : {}),
      ...(lastMessageAt ? { lastMessageAt } : {}),
      ...(capacity === undefined ? {} : { capacity }),
      ...more,
      state,
      since: changed ? isoNow(this.#deps.clock) : since,
    };
    if (this.#deps.events) this.#deps.events.epoch = this.#status.epoch;
    this.#write();
  }

  /**
   * Says that something is wrong with the scale set, and what to do about it; undefined when it is
   * not, or not any more. A text that changes keeps the time since when it holds.
   */
  setCondition(type: ConditionType, text: string | undefined): void {
    const { conditions } = this.#status;
    const known = conditions.find((condition) => condition.type === type);
    if (known?.text === text) return;
    const others = conditions.filter((condition) => condition !== known);
    const at = isoNow(this.#deps.clock);
    const since = known?.since ?? this.#sinceBefore(type) ?? at;
    const now: Condition[] = text === undefined ? [] : [{ type, since, text }];
    this.#status = { ...this.#status, conditions: [...others, ...now] };
    if (!known || text === undefined) this.#announce(type, text);
    this.#write();
  }

  /**
   * Not ours any more, or not yet: the listener that has it reports from here on. Why it could not be
   * opened is kept until it is opened; everything else its next owner finds out for itself.
   */
  leaveQuietly(): void {
    const { v, scaleSetId, owner, epoch, conditions } = this.#status;
    const since = isoNow(this.#deps.clock);
    const kept = conditions.filter(({ type }) => opening.has(type));
    this.#status = {
      v,
      scaleSetId,
      state: 'waiting',
      owner,
      epoch,
      since,
      conditions: kept,
      replacedAt: [],
    };
    this.#before = undefined;
    this.#ours = false;
    this.#unserved = undefined;
    this.#statistics = undefined;
  }

  /** A poll was answered, with this message or with none. */
  polled(message?: QueueMessage): void {
    const lastPollAt = isoNow(this.#deps.clock);
    if (message) this.#deps.metrics?.messageReceived(this.#status.scaleSetId);
    if (message?.statistics) this.counted(message.statistics, startsJob(message));
    this.#status = {
      ...this.#status,
      lastPollAt,
      ...(message ? { lastMessageAt: lastPollAt } : {}),
    };
    this.reviewReplacements();
    this.#writeQuietly();
  }

  /** GitHub's numbers of now; `started` when a runner took a job. */
  counted(statistics: Statistics, started: boolean): void {
    const { totalAssignedJobs: assigned, totalRunningJobs: running } = statistics;
    const now = this.#deps.clock.now();
    this.#statistics = statistics;
    this.#unserved = nextUnserved(this.#unserved, { assigned, running, started }, now);
  }

  /** How the scale set came to be known at GitHub. */
  registered(what: RegisteredHow, githubScaleSetId: number): void {
    this.#deps.events?.registered(what, githubScaleSetId);
  }

  /** GitHub is told this capacity from now on. */
  advertised(capacity: number): void {
    if (capacity === this.#status.capacity) return;
    this.#status = { ...this.#status, capacity };
    this.#writeQuietly();
  }

  /** A session had to be replaced; `reason` is one of few words. */
  replaced(reason: string): void {
    this.#deps.metrics?.sessionReplaced(this.#status.scaleSetId, reason);
    const replacedAt = [...this.#status.replacedAt, isoNow(this.#deps.clock)];
    this.#status = { ...this.#status, replacedAt };
    this.reviewReplacements();
    this.#write();
  }

  /** Sets or clears `sessions-replaced` by what happened lately. */
  reviewReplacements(): void {
    if (this.#status.replacedAt.length === 0) return;
    const replacedAt = recentReplacements(this.#status.replacedAt, this.#deps.clock.now());
    this.#status = { ...this.#status, replacedAt };
    this.setCondition('sessions-replaced', replacementsText(replacedAt));
  }

  /** Resolves when everything said so far was written, or could not be. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  /** The scale set is not worked on any more. Resolves as `settled` does. */
  async close(): Promise<void> {
    this.#deps.metrics?.unwatch(this);
    await this.settled();
    await this.#deps.events?.settled();
  }

  #forgetTroubles(): void {
    for (const { type } of this.#status.conditions) {
      const known = conditionTypes.find((one) => one === type);
      if (known) this.#announce(known, undefined);
    }
    this.#status = { ...this.#status, conditions: [], replacedAt: [] };
    this.#unserved = undefined;
  }

  #announce(type: ConditionType, text: string | undefined): void {
    const { log, events } = this.#deps;
    if (text === undefined) log.info({ condition: type }, 'condition ended');
    else log.warn({ condition: type, text }, 'condition');
    events?.conditionChanged(type, text);
  }

  #writeQuietly(): void {
    if (this.#deps.clock.monotonic() - this.#writtenAt >= quietMs) this.#write();
  }

  #write(): void {
    const { statuses, clock, log } = this.#deps;
    this.#writtenAt = clock.monotonic();
    this.#writing = this.#writing.then(async () => {
      try {
        if (this.#before === undefined) await this.#carryOn();
        await statuses.put(this.#status.scaleSetId, this.#status);
      } catch (err) {
        log.debug({ err }, 'status could not be written');
      }
    });
  }

  /**
   * A crash loop has many owners: replacements count over all of them, and so does for how long no
   * poll was answered and since when something is wrong.
   */
  async #carryOn(): Promise<void> {
    const before = (await this.#deps.statuses.get(this.#status.scaleSetId))?.value;
    this.#before = before ?? 'nothing';
    if (!before) return;
    // Owners who end well say `waiting`: after them it begins anew.
    if (this.#pollsDueSince !== undefined && isToBePolled(before.state)) {
      const dueSince = Date.parse(before.lastPollAt ?? before.since);
      this.#pollsDueSince = Math.min(this.#pollsDueSince, dueSince);
    }
    const { lastPollAt, lastMessageAt } = before;
    this.#status = {
      ...(lastPollAt ? { lastPollAt } : {}),
      ...(lastMessageAt ? { lastMessageAt } : {}),
      ...this.#status,
    };
    if (isResting(this.#status.state)) return;
    const replacedAt = [...new Set([...before.replacedAt, ...this.#status.replacedAt])];
    const conditions = this.#status.conditions.map((condition) => ({
      ...condition,
      since: this.#sinceBefore(condition.type) ?? condition.since,
    }));
    this.#status = { ...this.#status, replacedAt, conditions };
    this.reviewReplacements();
  }

  #sinceBefore(type: string): string | undefined {
    if (this.#before === undefined || this.#before === 'nothing') return undefined;
    return this.#before.conditions.find((condition) => condition.type === type)?.since;
  }
}

/** Conditions that end with the opening of a session, at the latest. */
const opening: ReadonlySet<string> = new Set(['conflicted', 'credential-refused', 'group-unknown']);

const toBePolled: ReadonlySet<ScaleSetState> = new Set([
  'opening',
  'conflicted',
  'polling',
  'failed',
]);

function isResting(state: ScaleSetState): boolean {
  return state === 'disabled' || state === 'deleted';
}

function isToBePolled(state: ScaleSetState): boolean {
  return toBePolled.has(state);
}

function startsJob(message: QueueMessage): boolean {
  return message.kind === 'jobs' && message.jobs.some(({ kind }) => kind === 'JobStarted');
}
